"""What holds for every day of forty years, clock changes included."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from espace.calendar import HOLIDAY_SETS, Rule, deadline, is_working_day, local_date
from espace.i18n import LANGUAGES

BRUSSELS = ZoneInfo("Europe/Brussels")
DAY = timedelta(days=1)

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


@given(days, rules)
def test_last_instant_is_local_midnight_after_the_date(start: date, rule: Rule) -> None:
    found = deadline(start, rule)
    local = found.last_instant.astimezone(BRUSSELS)
    assert (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)
    assert local.date() == found.date + DAY
    assert local_date(found.last_instant - timedelta(microseconds=1)) == found.date


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
