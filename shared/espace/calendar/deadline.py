"""From a day and a rule to a date, an instant and the reasons in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from espace.calendar.days import holiday_name, is_working_day, next_working_day
from espace.calendar.rule import Rule
from espace.i18n import format_date, kit_texts

_DAY = timedelta(days=1)
Value = date | int | str


@dataclass(frozen=True)
class Reason:
    """One step of the count: a code, and what it is about. :meth:`words` says it."""

    code: str
    values: tuple[tuple[str, Value], ...]

    def words(self, lang: str) -> str:
        """This step as a sentence in ``lang`` (fr, nl, de, en)."""
        given = dict(self.values)
        texts = kit_texts()
        shown: dict[str, Any] = {}
        for name, value in given.items():
            shown[name] = format_date(value, lang) if isinstance(value, date) else value
        if "act" in shown:
            shown["act"] = texts.gettext(lang, f"act.{shown['act']}")
        if "zone" in shown and texts.has(lang, f"zone.{shown['zone']}"):
            shown["zone"] = texts.gettext(lang, f"zone.{shown['zone']}")
        day = given.get("date")
        if "holidays" in given and isinstance(day, date):
            shown["holiday"] = holiday_name(day, str(given["holidays"]), lang)
        count = shown.pop("count", None)
        if isinstance(count, int):
            return texts.ngettext(lang, f"deadline.{self.code}", count, **shown)
        sentence = texts.gettext(lang, f"deadline.{self.code}", **shown)
        return sentence[0].upper() + sentence[1:]


@dataclass(frozen=True)
class Deadline:
    """The last day, and the first instant that is too late.

    Attributes:
        date: the last day, included until 24:00 in the rule's zone.
        last_instant: UTC, exclusive: an act stamped before it is in time.
        reasons: the steps of the count, in order.
    """

    date: date
    last_instant: datetime
    reasons: tuple[Reason, ...]

    def words(self, lang: str) -> list[str]:
        """The reasons as sentences in ``lang``."""
        return [reason.words(lang) for reason in self.reasons]

    def is_met_by(self, instant: datetime) -> bool:
        """Whether an act stamped at ``instant`` is in time."""
        return instant < self.last_instant


def deadline(start: date, rule: Rule) -> Deadline:
    """Count ``rule`` from ``start``, the local day of the act."""
    return _Count(start, rule).result()


def local_date(instant: datetime, zone: str = "Europe/Brussels") -> date:
    """The calendar day of ``instant`` (aware) in ``zone``."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    return instant.astimezone(ZoneInfo(zone)).date()


def start_of_day(day: date, zone: str = "Europe/Brussels") -> datetime:
    """The instant (UTC) at which ``day`` begins in ``zone``."""
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)


class _Count:
    def __init__(self, start: date, rule: Rule) -> None:
        self.rule = rule
        self.start = start
        self.reasons: list[Reason] = []

    def result(self) -> Deadline:
        rule = self.rule
        counted = self._counted_days()
        first = last = next(counted)
        for _ in range(rule.count - 1):
            last = next(counted)
        self._explain_start(first)
        self._say(rule.unit, count=rule.count, first=first)
        self._explain_skipped(last)
        last = self._rolled(last)
        self._say("end", date=last, zone=rule.zone)
        return Deadline(last, start_of_day(last + _DAY, rule.zone), tuple(self.reasons))

    def _counted_days(self) -> Iterator[date]:
        day = self.start + _DAY if self.rule.start_excluded else self.start
        while True:
            if self.rule.unit == "calendar_days" or is_working_day(day, self.rule.holidays):
                yield day
            day += _DAY

    def _explain_start(self, first: date) -> None:
        if self.rule.start_excluded:
            self._say("start_excluded", act=self.rule.act, date=self.start)
        elif first == self.start:
            self._say("start_included", act=self.rule.act, date=self.start)
        else:
            self._say("start_not_working", act=self.rule.act, date=self.start)

    def _explain_skipped(self, last: date) -> None:
        """Name each weekday that a count of working days passed over for a holiday."""
        if self.rule.unit != "working_days":
            return
        day = self.start + _DAY
        while day < last:
            if day.weekday() < 5 and not is_working_day(day, self.rule.holidays):
                self._say("skipped_holiday", date=day, holidays=self.rule.holidays)
            day += _DAY

    def _rolled(self, last: date) -> date:
        rule = self.rule
        if is_working_day(last, rule.holidays):
            return last
        why = "holiday" if holiday_name(last, rule.holidays, "en") else "weekend"
        if rule.roll_over == "none":
            self._say(f"kept_{why}", date=last, holidays=rule.holidays)
            return last
        rolled = next_working_day(last, rule.holidays)
        self._say(f"rolled_{why}", date=last, to=rolled, holidays=rule.holidays)
        return rolled

    def _say(self, code: str, **values: Value) -> None:
        self.reasons.append(Reason(code, tuple(values.items())))
