"""What a place is, and since and until when."""

from dataclasses import dataclass
from datetime import date

from dossier_service.localized import Localized


@dataclass(frozen=True)
class Period:
    """Days, both ends included; None is open."""

    first: date | None = None
    last: date | None = None

    def holds(self, day: date) -> bool:
        """Whether ``day`` lies in the period."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


@dataclass(frozen=True)
class Province:
    ins: str
    name: Localized


@dataclass(frozen=True)
class Commune:
    """A commune with two validities: ``legal`` as an authority, ``electoral`` as what a vote elects.

    ``successor`` is the commune (INS code) that its voters elect once the electoral validity has ended.
    """

    ins: str
    name: Localized
    province: Province
    legal: Period = Period()
    electoral: Period = Period()
    successor: str | None = None
    german_language: bool = False


@dataclass(frozen=True)
class District:
    """A provincial electoral district. ``fictitious`` is test data, and said so wherever it is shown."""

    key: str
    name: str
    province: Province
    communes: tuple[str, ...] = ()
    fictitious: bool = False


@dataclass(frozen=True)
class Constituency:
    """Where one election elects one council: ``commune:<INS>`` or ``district:<province INS>:<district>``.

    ``report_date`` is the local day of the procès-verbal, from which deadlines count.
    """

    key: str
    name: Localized
    report_date: date
    fictitious: bool


class UnknownPlace(Exception):
    """There is no such commune, province or district on that day."""


class NotCovered(Exception):
    """The commune exists but its elections are organised elsewhere.

    Attributes:
        reason: ``german_language`` or ``outside_wallonia``.
        name: the commune's name, as far as it is known.
    """

    def __init__(self, reason: str, name: Localized) -> None:
        self.reason = reason
        self.name = name
        super().__init__(reason)
