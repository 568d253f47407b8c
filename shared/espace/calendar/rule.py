"""How a deadline is counted, as data of a procedure."""

import dataclasses
import typing
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from espace.calendar.days import HOLIDAY_SETS

Unit = Literal["calendar_days", "working_days"]
RollOver = Literal["none", "next_working_day"]
Act = Literal["act", "record", "deposit", "notification"]


class RuleError(ValueError):
    """The data of a rule cannot be used; the message names the field."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A way of counting.

    Args:
        count: how many days, at least one.
        unit: every day counts, or Monday to Friday without the set's holidays.
        start_excluded: the day of the act does not count (*dies a quo non computatur*).
        roll_over: what happens when the last day is a Saturday, a Sunday or a holiday of the set.
        holidays: the set of holidays, see :data:`espace.calendar.HOLIDAY_SETS`.
        zone: where the last day ends at 24:00.
        act: what happened on the first day, for the words only.
    """

    count: int
    unit: Unit = "calendar_days"
    start_excluded: bool = True
    roll_over: RollOver = "none"
    holidays: str = "none"
    zone: str = "Europe/Brussels"
    act: Act = "act"

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise RuleError(f"{name}: {getattr(self, name)!r} is not one of {', '.join(allowed)}")
        if type(self.count) is not int or not 1 <= self.count <= 3660:
            raise RuleError(f"count: {self.count!r} is not a number of days from 1 to 3660")
        if type(self.start_excluded) is not bool:
            raise RuleError(f"start_excluded: {self.start_excluded!r} is neither true nor false")
        try:
            zoneinfo.ZoneInfo(self.zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, TypeError) as error:
            raise RuleError(f"zone: {self.zone!r} is not a time zone") from error

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Rule":
        """Read a rule from a procedure's file.

        Raises:
            RuleError: a field is missing, unknown or wrong.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := set(data) - known:
            raise RuleError(f"unknown: {', '.join(sorted(unknown))}")
        if "count" not in data:
            raise RuleError("count: is missing")
        return cls(**data)


_CHOICES: dict[str, tuple[str, ...]] = {
    "unit": typing.get_args(Unit),
    "roll_over": typing.get_args(RollOver),
    "act": typing.get_args(Act),
    "holidays": HOLIDAY_SETS,
}
