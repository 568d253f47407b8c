"""What a procedure is made of. Pure values, read from a data file and never changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from typing import Any

from dossier_service.localized import Localized
from espace.calendar import Rule

Values = Mapping[str, Any]
CONSTITUENCY = "constituency"
"""Beside the fields, a name of its own in ``unique_by`` and ``subtitle``: the one the answers lead to."""


class FieldType(StrEnum):
    TEXT = "text"
    EMAIL = "email"
    PHONE = "phone"
    CHOICE = "choice"
    CHECKBOX = "checkbox"
    READONLY = "readonly"


@dataclass(frozen=True)
class Condition:
    """True while the field ``field`` has the value ``equals``."""

    field: str
    equals: str | bool

    def holds(self, values: Values) -> bool:
        """Judge the condition by the values of the whole form."""
        return bool(values.get(self.field) == self.equals)


@dataclass(frozen=True)
class Choice:
    """One value of a choice; ``note`` says what must be known of it, as "fictitious"."""

    value: str
    label: Localized
    note: Localized | None = None


@dataclass(frozen=True)
class Field:
    """One question. ``prefill`` and ``choices_from`` name a source, as ``identity.email``."""

    key: str
    type: FieldType
    label: Localized
    hint: Localized | None = None
    required: bool = False
    max_length: int | None = None
    multiline: bool = False
    autocomplete: str | None = None
    prefill: str | None = None
    choices: tuple[Choice, ...] = ()
    choices_from: str | None = None
    visible_when: Condition | None = None

    def visible(self, values: Values) -> bool:
        """Whether the question is put at all, given the other answers."""
        return self.visible_when is None or self.visible_when.holds(values)


@dataclass(frozen=True)
class Section:
    key: str
    title: Localized
    fields: tuple[Field, ...]
    intro: Localized | None = None


@dataclass(frozen=True)
class Statement:
    """A sworn box: it must be ticked."""

    key: str
    label: Localized


@dataclass(frozen=True)
class Slot:
    """Where files of one kind are attached. ``types`` are media types, sizes are in bytes."""

    key: str
    title: Localized
    types: tuple[str, ...]
    max_bytes: int
    max_count: int
    mandatory: bool = False
    hint: Localized | None = None


@dataclass(frozen=True)
class Locator:
    """Which answers lead to a constituency: the fields of a commune, or those of a province and its district.

    ``when`` says for which answers this is the way; None is always.
    """

    commune: str | None = None
    province: str | None = None
    district: str | None = None
    when: Condition | None = None

    def fields(self) -> tuple[str, ...]:
        """The keys of the fields it reads."""
        return tuple(key for key in (self.commune, self.province, self.district) if key)


@dataclass(frozen=True)
class Window:
    """When the procedure may be used: from the start of the day it counts from until the rule's last day.

    ``starts`` names the day: ``official_report`` is that of the constituency's procès-verbal. The first of
    ``constituencies`` whose condition holds is the one that counts.
    """

    election: str
    starts: str
    rule: Rule
    constituencies: tuple[Locator, ...]

    def province_of(self, district: str) -> str | None:
        """The field of the province whose districts the field ``district`` offers."""
        found = (locator.province for locator in self.constituencies if locator.district == district)
        return next(found, None)


@dataclass(frozen=True)
class Reminder:
    """A reminder ``days_before`` the last day, at a local time; weekends included."""

    days_before: int
    at: time


@dataclass(frozen=True)
class InformationRequestPolicy:
    """How a citizen asks for more time: by which answer, in which words, for how long."""

    requested_when: Condition
    element_field: str
    rule: Rule
    slot: Slot
    reminders: tuple[Reminder, ...] = ()


@dataclass(frozen=True)
class Step:
    key: str
    label: Localized
    substeps: tuple["Step", ...] = ()


@dataclass(frozen=True)
class Switches:
    """Policies that no text settles; the defaults are the strict reading of the guide."""

    outage: str = "none"
    signed_claim_required_at_deposit: bool = True


@dataclass(frozen=True)
class Procedure:
    """One version of a procedure.

    ``subtitle`` tells one dossier from another: a text with names in braces. ``unique_by`` names what,
    with the citizen, may be deposited once.
    """

    key: str
    version: int
    title: Localized
    summary: Localized
    keywords: Localized
    min_level: int
    sections: tuple[Section, ...]
    statements: tuple[Statement, ...]
    slots: tuple[Slot, ...]
    steps: tuple[Step, ...]
    subtitle: Localized | None = None
    conditions: tuple[Localized, ...] = ()
    unique_by: tuple[str, ...] = ()
    window: Window | None = None
    information_request: InformationRequestPolicy | None = None
    switches: Switches = Switches()

    def fields(self) -> Iterator[Field]:
        """Every field of every section, in order."""
        for section in self.sections:
            yield from section.fields

    def field(self, key: str) -> Field | None:
        """The field of that key, or None."""
        return next((field for field in self.fields() if field.key == key), None)

    def prefilled_by(self, source: str) -> str | None:
        """The key of the field that a source fills in, as ``identity.family_name``."""
        return next((field.key for field in self.fields() if field.prefill == source), None)

    def slot(self, key: str) -> Slot | None:
        """The attachment slot of that key, or None."""
        return next((slot for slot in self.slots if slot.key == key), None)

    def mandatory_slots(self, *, more_time_asked: bool) -> tuple[Slot, ...]:
        """The slots that must not be empty at the deposit."""
        if more_time_asked and not self.switches.signed_claim_required_at_deposit:
            return ()
        return tuple(slot for slot in self.slots if slot.mandatory)

    def asks_more_time(self, values: Values) -> bool:
        """Whether these answers ask for an information request (DRC)."""
        policy = self.information_request
        return policy is not None and policy.requested_when.holds(values)

    def writable(self, key: str) -> bool:
        """Whether the client may send a value for this key (a field that is not read-only, a statement)."""
        field = self.field(key)
        if field is not None:
            return field.type is not FieldType.READONLY
        return any(statement.key == key for statement in self.statements)
