"""An election day: its districts, its constituencies and the dates of their official reports."""

from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from typing import Any

import yaml

from dossier_service.localized import Localized
from dossier_service.places.model import Commune, Constituency, District, UnknownPlace
from dossier_service.places.registry import Places


class Election:
    """The elections held on one day, from their data file."""

    def __init__(self, data: Mapping[str, Any], places: Places) -> None:
        reports = data["official_reports"]
        self.key: str = data["key"]
        self.day: date = data["day"]
        self.places = places
        self.fictitious_reports: bool = reports["fictitious"]
        self._default: date = reports["default"]
        self._by_province: Mapping[str, date] = reports["provinces"]
        self._by_commune: Mapping[str, date] = reports["communes"]
        self._districts = [
            District(
                key=record["key"],
                name=record["name"],
                province=places.province(record["province"]),
                communes=tuple(record.get("communes", ())),
                fictitious=record.get("fictitious", False),
            )
            for record in data["districts"]
        ]

    @classmethod
    def named(cls, key: str, places: Places) -> "Election":
        """The election of that key.

        Raises:
            UnknownPlace: there is no data file for it.
        """
        file = files(__package__) / "data" / f"{key}.yaml"
        if not file.is_file():
            raise UnknownPlace(f"no election {key!r}")
        return cls(yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader), places)

    def districts(self, province: str) -> list[District]:
        """The districts of a province (INS code)."""
        return [district for district in self._districts if district.province.ins == province]

    def municipal(self, commune: Commune) -> Constituency:
        """The constituency of a commune's council."""
        by_province = self._by_province.get(commune.province.ins, self._default)
        day = self._by_commune.get(commune.ins, by_province)
        return Constituency(f"commune:{commune.ins}", commune.name, day, self.fictitious_reports)

    def provincial(self, province: str, district: str) -> Constituency:
        """The constituency of a province's district.

        Raises:
            UnknownPlace: the province has no such district.
        """
        found = next((item for item in self.districts(province) if item.key == district), None)
        if found is None:
            raise UnknownPlace(f"{province}/{district}")
        key = f"district:{province}:{district}"
        day = self._by_province.get(province, self._default)
        return Constituency(key, Localized.same(found.name), day, self.fictitious_reports)

    def report_dates(self) -> dict[date, list[Localized]]:
        """Each date of an official report with the provinces and the single communes it is of."""
        found: dict[date, list[Localized]] = {self._default: []}
        for province in self.places.provinces():
            day = self._by_province.get(province.ins, self._default)
            found.setdefault(day, []).append(province.name)
        for ins, day in self._by_commune.items():
            found.setdefault(day, []).append(self.places.commune(ins).name)
        return dict(sorted(found.items()))
