"""A procedure together with the places it is about: what a file alone cannot answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dossier_service.localized import Localized, placeholders
from dossier_service.places.elections import Election
from dossier_service.places.model import Constituency, UnknownPlace
from dossier_service.places.registry import Places
from dossier_service.procedures.catalogue import Catalogue
from dossier_service.procedures.loader import load_all
from dossier_service.procedures.model import CONSTITUENCY, Choice, Field, FieldType, Procedure, Values
from dossier_service.procedures.validation import Errors, declared, validate
from espace.calendar import Deadline, deadline, start_of_day

FICTITIOUS = Localized("fictif", "fictief", "fiktiv", "fictitious")


@dataclass(frozen=True)
class Window:
    """When one constituency's dossiers may be deposited: from ``opens_at`` to before ``closes_at``."""

    constituency: Constituency
    opens_at: datetime
    deadline: Deadline

    @property
    def closes_at(self) -> datetime:
        """The first instant that is too late."""
        return self.deadline.last_instant

    def state(self, instant: datetime) -> str:
        """``upcoming``, ``open`` or ``closed`` at an instant."""
        if instant < self.opens_at:
            return "upcoming"
        return "open" if instant < self.closes_at else "closed"


@dataclass(frozen=True)
class Practice:
    """One version of a procedure with its election, if it has one."""

    procedure: Procedure
    election: Election | None = None

    def choices(self, question: Field, values: Values) -> tuple[Choice, ...]:
        """A field's choices, given the other values."""
        window = self.procedure.window
        if question.choices_from == "places.districts" and self.election and window:
            province = values.get(window.province_of(question.key) or "")
            return tuple(
                Choice(item.key, Localized.same(item.name), FICTITIOUS if item.fictitious else None)
                for item in self.election.districts(str(province or ""))
            )
        return question.choices

    def errors(self, values: Values) -> Errors:
        """Every error of the values, by field."""
        return validate(self.procedure, values, lambda question: self.choices(question, values))

    def declared(self, values: Values) -> dict[str, Any]:
        """The values that count."""
        return declared(self.procedure, values)

    def prefill(self, identity: Mapping[str, Any]) -> dict[str, str]:
        """The prefilled values, by field, from what identity knows of a citizen.

        Raises:
            NotCovered: the citizen's commune votes elsewhere.
        """
        sources = {"identity": identity, "places": self._places_of(identity)}
        found = ((question.key, _follow(sources, question.prefill)) for question in self.procedure.fields())
        return {key: value for key, value in found if value}

    def lacks(self, prefilled: Values) -> bool:
        """Whether a value that only the registers can give is missing."""
        return any(
            question.required and question.type is FieldType.READONLY and not prefilled.get(question.key)
            for question in self.procedure.fields()
        )

    def _places_of(self, identity: Mapping[str, Any]) -> dict[str, str]:
        ins = identity.get("commune_ins")
        if self.election is None or not ins:
            return {}
        try:
            commune = self.election.places.council_of(str(ins), self.election.day)
        except UnknownPlace:
            return {}
        return {"commune": commune.ins, "province": commune.province.ins}

    def constituency(self, values: Values) -> Constituency | None:
        """The constituency the values lead to; None while they do not."""
        window = self.procedure.window
        ways = window.constituencies if window else ()
        way = next((way for way in ways if way.when is None or way.when.holds(values)), None)
        if self.election is None or way is None:
            return None
        commune, province, district = (
            values.get(key or "") for key in (way.commune, way.province, way.district)
        )
        try:
            if commune:
                return self.election.municipal(self.election.places.commune(str(commune)))
            if province and district:
                return self.election.provincial(str(province), str(district))
        except UnknownPlace:
            return None
        return None

    def window(self, values: Values) -> Window | None:
        """The window of the constituency; None while it is not known and for what is always open."""
        constituency = self.constituency(values)
        return self._window(constituency) if constituency else None

    def windows(self) -> list[tuple[Window, list[Localized]]]:
        """Every window there is, with the places it is for, by date."""
        if self.election is None:
            return []
        fictitious = self.election.fictitious_reports
        return [
            (self._window(Constituency("", Localized.same(""), day, fictitious)), names)
            for day, names in self.election.report_dates().items()
        ]

    def _window(self, constituency: Constituency) -> Window:
        rule = self.procedure.window.rule if self.procedure.window else None
        assert rule is not None, "an election comes with a window"
        opens_at = start_of_day(constituency.report_date, rule.zone)
        return Window(constituency, opens_at, deadline(constituency.report_date, rule))

    def state(self, instant: datetime) -> str:
        """The procedure's state over all its windows; without any it is always open."""
        states = {window.state(instant) for window, _ in self.windows()}
        return next((state for state in ("open", "upcoming", "closed") if state in states), "open")

    def unique_key(self, values: Values) -> str | None:
        """What a citizen may deposit only once, as text; None when there is no such limit.

        A constituency is that of its election day: the next election is a new one.
        """
        if not self.procedure.unique_by:
            return None
        constituency = self.constituency(values)
        day = self.election.key if self.election else ""
        known = {**values, CONSTITUENCY: f"{day}/{constituency.key}" if constituency else ""}
        parts = [str(known.get(name, "")) for name in self.procedure.unique_by]
        return "|".join([self.procedure.key, *parts])

    def subtitle(self, values: Values, language: str) -> str:
        """What tells this dossier from the citizen's others; empty until all of it is known."""
        template = self.procedure.subtitle[language] if self.procedure.subtitle else ""
        named = {name: self._named(name, values)[language] for name in placeholders(template)}
        return template.format_map(named) if all(named.values()) else ""

    def _named(self, name: str, values: Values) -> Localized:
        if name == CONSTITUENCY:
            constituency = self.constituency(values)
            return constituency.name if constituency else Localized.same("")
        question = self.procedure.field(name)
        return self.shown(question, values.get(name), values) if question else Localized.same("")

    def shown(self, question: Field, value: Any, values: Values) -> Localized:
        """A value as people read it: the label of a choice, the name of a place."""
        if question.prefill == "places.commune" and self.election and value:
            return self.election.places.commune(str(value)).name
        if question.prefill == "places.province" and self.election and value:
            return self.election.places.province(str(value)).name
        if question.type is FieldType.CHOICE:
            chosen = (choice for choice in self.choices(question, values) if choice.value == value)
            return next((_with_note(choice) for choice in chosen), Localized.same(""))
        return Localized.same(str(value if value not in (None, False) else ""))


@dataclass(frozen=True)
class Desk:
    """Everything that is on offer, loaded once."""

    catalogue: Catalogue
    places: Places
    elections: Mapping[str, Election] = field(default_factory=dict)

    @classmethod
    def open(cls, procedures: Iterable[Procedure] | None = None) -> "Desk":
        """Load the data files; a wrong one stops the program with its mistakes."""
        procedures = tuple(procedures if procedures is not None else load_all())
        places = Places()
        names = {procedure.window.election for procedure in procedures if procedure.window}
        return cls(Catalogue(procedures), places, {name: Election.named(name, places) for name in names})

    def practice(self, procedure: Procedure) -> Practice:
        """The procedure with its election."""
        window = procedure.window
        return Practice(procedure, self.elections[window.election] if window else None)

    def newest(self, key: str) -> Practice:
        """What is offered today under that key."""
        return self.practice(self.catalogue.newest(key))

    def version(self, key: str, version: int) -> Practice:
        """What a dossier was opened under."""
        return self.practice(self.catalogue.version(key, version))


def _follow(sources: Mapping[str, Any], path: str | None) -> str:
    value: Any = sources
    for part in (path or "").split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return str(value) if value is not None and not isinstance(value, Mapping) else ""


def _with_note(choice: Choice) -> Localized:
    if choice.note is None:
        return choice.label
    return Localized(*(f"{choice.label[lang]} ({choice.note[lang]})" for lang in choice.label.all()))
