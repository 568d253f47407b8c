"""What holds for every day of forty years, each clock change included; other properties by samples."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from espace.calendar import HOLIDAY_SETS, Rule, deadline, is_working_day, local_date
from espace.i18n import LANGUAGES

DAY = timedelta(days=1)
EVERY_DAY = [date(2000, 1, 1) + n * DAY for n in range((date(2040, 1, 1) - date(2000, 1, 1)).days)]
DRC = Rule(count=4, act="deposit")
ROLLED = Rule(count=4, act="deposit", roll_over="next_working_day", holidays="be_wallonia_tutelle")

days = st.dates(date(2000, 1, 1), date(2039, 12, 31))
rules = st.builds(
    Rule,
    count=st.integers(1, 60),
    unit=st.sampled_from(["calendar_days", "working_days"]),
    start_excluded=st.booleans(),
    roll_over=st.sampled_from(["none", "next_working_day"]),
    holidays=st.sampled_from(HOLIDAY_SETS),
    act=st.sampled_from(["act", "record", "deposit", "notification"]),
)


def changed(rule: Rule, **fields: object) -> Rule:
    return Rule.from_data({**rule.__dict__, **fields})


def clock_changes(year: int) -> tuple[date, date]:
    """Directive 2000/84/EC, art. 2 and 3: the last Sundays of March and October, at 01:00 UTC."""
    march, october = date(year, 3, 31), date(year, 10, 31)
    return march - (march.weekday() + 1) % 7 * DAY, october - (october.weekday() + 1) % 7 * DAY


def end_of(day: date) -> datetime:
    """When a day ends in Brussels, by the directive and no library: 22:00 UTC in summer time, else 23:00."""
    forward, back = clock_changes(day.year)
    return datetime(day.year, day.month, day.day, 22 if forward <= day < back else 23, tzinfo=UTC)


def test_every_day_of_forty_years_ends_at_its_local_midnight() -> None:
    assert len(EVERY_DAY) == 14_610
    for last in EVERY_DAY:
        found = deadline(last - 4 * DAY, DRC)
        assert (found.date, found.last_instant) == (last, end_of(last))
        assert found.is_met_by(found.last_instant - timedelta(microseconds=1))
        assert not found.is_met_by(found.last_instant)
        assert local_date(found.last_instant - timedelta(microseconds=1)) == last
        assert local_date(found.last_instant) == last + DAY


def test_every_day_of_forty_years_rolls_to_a_working_day_and_ends_at_its_midnight() -> None:
    before = date.min
    for start in EVERY_DAY:
        found = deadline(start, ROLLED)
        plain = start + 4 * DAY
        skipped = [plain + n * DAY for n in range((found.date - plain).days)]
        assert is_working_day(found.date, "be_wallonia_tutelle")
        assert not any(is_working_day(day, "be_wallonia_tutelle") for day in skipped)
        assert found.last_instant == end_of(found.date)
        assert found.date >= before
        before = found.date


@pytest.mark.parametrize("year", range(2000, 2040))
def test_the_days_of_clock_changes_have_23_and_25_hours(year: int) -> None:
    for day, hours in zip(clock_changes(year), (23, 25), strict=True):
        on, eve = deadline(day - 4 * DAY, DRC), deadline(day - 5 * DAY, DRC)
        assert (eve.date, on.date) == (day - DAY, day)
        assert on.last_instant - eve.last_instant == timedelta(hours=hours)
        assert deadline(day - 3 * DAY, DRC).last_instant - on.last_instant == DAY


@given(days, rules)
def test_later_start_never_gives_an_earlier_deadline(start: date, rule: Rule) -> None:
    today, tomorrow = deadline(start, rule), deadline(start + DAY, rule)
    assert today.date <= tomorrow.date
    assert today.last_instant <= tomorrow.last_instant


@given(days, rules)
def test_one_day_more_is_never_earlier(start: date, rule: Rule) -> None:
    assert deadline(start, rule).date <= deadline(start, changed(rule, count=rule.count + 1)).date


@given(days, rules)
def test_roll_over_lands_on_a_working_day_and_never_earlier(start: date, rule: Rule) -> None:
    plain = deadline(start, changed(rule, roll_over="none"))
    rolled = deadline(start, changed(rule, roll_over="next_working_day"))
    assert is_working_day(rolled.date, rule.holidays)
    assert plain.date <= rolled.date <= plain.date + 6 * DAY
    between = [plain.date + n * DAY for n in range((rolled.date - plain.date).days)]
    assert not any(is_working_day(day, rule.holidays) for day in between)


@given(days, rules)
def test_more_holidays_never_shorten(start: date, rule: Rule) -> None:
    ends = [deadline(start, changed(rule, holidays=name)).date for name in HOLIDAY_SETS]
    assert ends == sorted(ends)


@given(days, st.integers(1, 60))
def test_calendar_days_are_plain_arithmetic_on_dates(start: date, count: int) -> None:
    assert deadline(start, Rule(count=count)).date == start + count * DAY
    assert deadline(start, Rule(count=count, start_excluded=False)).date == start + (count - 1) * DAY


@given(days, st.integers(1, 30), st.sampled_from(HOLIDAY_SETS))
def test_working_days_hold_exactly_that_many_working_days(start: date, count: int, holidays: str) -> None:
    last = deadline(start, Rule(count=count, unit="working_days", holidays=holidays)).date
    counted = [start + n * DAY for n in range(1, (last - start).days + 1)]
    assert sum(is_working_day(day, holidays) for day in counted) == count
    assert is_working_day(last, holidays)


@settings(max_examples=60)
@given(days, rules)
def test_every_language_gives_the_same_steps_in_its_own_words(start: date, rule: Rule) -> None:
    found = deadline(start, rule)
    said = [found.words(lang) for lang in LANGUAGES]
    assert {len(words) for words in said} == {len(found.reasons)}
    for sentences in zip(*said, strict=True):
        assert len(set(sentences)) == len(LANGUAGES)
        assert all(s.endswith(".") and "%" not in s and s[0].isupper() for s in sentences)


instants = st.integers(0, 40 * 365 * 86_400_000).map(
    lambda ms: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)


@given(instants)
def test_an_instant_is_before_the_end_of_its_own_local_day(instant: datetime) -> None:
    today = deadline(local_date(instant), Rule(count=1, start_excluded=False))
    yesterday = deadline(local_date(instant) - DAY, Rule(count=1, start_excluded=False))
    assert today.is_met_by(instant)
    assert not yesterday.is_met_by(instant)
