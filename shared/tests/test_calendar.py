"""The deadline function: every vector of the domain, and the rules as data."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from espace.calendar import Rule, RuleError, deadline, holiday_name, is_working_day, local_date
from espace.i18n import LANGUAGES

CLAIM = Rule(count=8, act="record")
DRC = Rule(count=4, act="deposit")
ROLLED = Rule(count=4, act="deposit", roll_over="next_working_day", holidays="be_legal")
BRUSSELS = ZoneInfo("Europe/Brussels")


@pytest.mark.parametrize(
    ("start", "rule", "last", "last_instant"),
    [
        (date(2024, 10, 13), CLAIM, date(2024, 10, 21), "2024-10-21T22:00:00+00:00"),
        (date(2024, 10, 14), CLAIM, date(2024, 10, 22), "2024-10-22T22:00:00+00:00"),
        (date(2024, 10, 21), DRC, date(2024, 10, 25), "2024-10-25T22:00:00+00:00"),
        (date(2024, 10, 22), DRC, date(2024, 10, 26), "2024-10-26T22:00:00+00:00"),
        (date(2024, 10, 22), ROLLED, date(2024, 10, 28), "2024-10-28T23:00:00+00:00"),
        # around the clock changes: midnight is local, days have 23 and 25 hours
        (date(2024, 10, 23), DRC, date(2024, 10, 27), "2024-10-27T23:00:00+00:00"),
        (date(2024, 3, 27), DRC, date(2024, 3, 31), "2024-03-31T22:00:00+00:00"),
        (date(2024, 3, 26), DRC, date(2024, 3, 30), "2024-03-30T23:00:00+00:00"),
        # over the holidays of All Saints: Friday 1 November, then a weekend
        (date(2024, 10, 28), ROLLED, date(2024, 11, 4), "2024-11-04T23:00:00+00:00"),
        (date(2024, 2, 25), DRC, date(2024, 2, 29), "2024-02-29T23:00:00+00:00"),
        (date(2024, 12, 29), DRC, date(2025, 1, 2), "2025-01-02T23:00:00+00:00"),
    ],
)
def test_vector(start: date, rule: Rule, last: date, last_instant: str) -> None:
    found = deadline(start, rule)
    assert found.date == last
    assert found.last_instant == datetime.fromisoformat(last_instant)
    assert found.last_instant.tzinfo is UTC


@pytest.mark.parametrize(
    ("zone", "start", "last", "last_instant"),
    [
        ("America/New_York", date(2024, 10, 30), date(2024, 11, 3), "2024-11-04T05:00:00+00:00"),
        ("America/New_York", date(2024, 10, 29), date(2024, 11, 2), "2024-11-03T04:00:00+00:00"),
        ("Asia/Kolkata", date(2024, 10, 21), date(2024, 10, 25), "2024-10-25T18:30:00+00:00"),
        # the clock went from 00:00 to 01:00: the next day began at 01:00, and the last one ended there
        ("America/Sao_Paulo", date(2018, 10, 30), date(2018, 11, 3), "2018-11-04T03:00:00+00:00"),
    ],
)
def test_vector_of_another_zone(zone: str, start: date, last: date, last_instant: str) -> None:
    found = deadline(start, Rule(count=4, zone=zone))
    assert (found.date, found.last_instant) == (last, datetime.fromisoformat(last_instant))


def test_last_tenth_of_a_second_is_in_time_and_midnight_is_not() -> None:
    instant = datetime(2024, 10, 21, 23, 59, 59, 900_000, tzinfo=BRUSSELS).astimezone(UTC)
    assert instant.isoformat() == "2024-10-21T21:59:59.900000+00:00"
    assert local_date(instant) == date(2024, 10, 21)
    first, second = deadline(date(2024, 10, 13), CLAIM), deadline(date(2024, 10, 14), CLAIM)
    assert first.is_met_by(instant)
    assert not first.is_met_by(datetime(2024, 10, 21, 22, tzinfo=UTC))
    assert second.is_met_by(datetime(2024, 10, 21, 22, tzinfo=UTC))


def test_start_included_counts_the_day_of_the_act() -> None:
    assert deadline(date(2024, 10, 13), Rule(count=8, start_excluded=False)).date == date(2024, 10, 20)


@pytest.mark.parametrize(
    ("start", "count", "holidays", "last"),
    [
        (date(2024, 10, 25), 1, "be_legal", date(2024, 10, 28)),
        (date(2024, 10, 31), 1, "be_legal", date(2024, 11, 4)),
        (date(2024, 11, 8), 5, "be_legal", date(2024, 11, 18)),
        (date(2024, 11, 8), 5, "be_wallonia_tutelle", date(2024, 11, 19)),  # 15 November too
        (date(2024, 12, 24), 1, "be_legal", date(2024, 12, 26)),
        (date(2024, 12, 24), 1, "be_wallonia_tutelle", date(2024, 12, 27)),
    ],
)
def test_working_days_skip_weekends_and_the_sets_holidays(
    start: date, count: int, holidays: str, last: date
) -> None:
    assert deadline(start, Rule(count=count, unit="working_days", holidays=holidays)).date == last


def test_working_days_with_start_included_on_a_saturday_begin_on_monday() -> None:
    rule = Rule(count=1, unit="working_days", start_excluded=False, holidays="be_legal")
    found = deadline(date(2024, 10, 26), rule)
    assert found.date == date(2024, 10, 28)
    assert (
        found.words("fr")[0]
        == "Le jour de l’acte (samedi 26 octobre 2024) n’est pas un jour ouvrable et ne compte donc pas."
    )


def test_holiday_sets_have_ten_and_fourteen_days() -> None:
    def of(holidays: str) -> set[tuple[int, int]]:
        days = (date.fromordinal(date(2024, 1, 1).toordinal() + n) for n in range(366))
        return {(d.month, d.day) for d in days if holiday_name(d, holidays, "fr")}

    legal = {(1, 1), (4, 1), (5, 1), (5, 9), (5, 20), (7, 21), (8, 15), (11, 1), (11, 11), (12, 25)}
    assert of("none") == set()
    assert of("be_legal") == legal
    assert of("be_wallonia_tutelle") == legal | {(9, 27), (11, 2), (11, 15), (12, 26)}
    assert not is_working_day(date(2024, 9, 27), "be_wallonia_tutelle")
    assert is_working_day(date(2024, 9, 27), "be_legal")


def test_reasons_tell_the_count_in_order() -> None:
    assert deadline(date(2024, 10, 13), CLAIM).words("fr") == [
        "Le jour du procès-verbal (dimanche 13 octobre 2024) ne compte pas.",
        "Le délai est de 8 jours de calendrier, week-ends et jours fériés compris ; "
        "le premier est le lundi 14 octobre 2024.",
        "Le dernier jour est le lundi 21 octobre 2024 : "
        "il est compris jusqu’à 24 heures (heure de Bruxelles).",
    ]
    assert deadline(date(2024, 10, 22), DRC).words("nl")[2:] == [
        "Zaterdag 26 oktober 2024 valt in een weekend, maar deze termijn wordt daarom niet verlengd.",
        "De laatste dag is zaterdag 26 oktober 2024, tot 24 uur (Brusselse tijd).",
    ]
    assert deadline(date(2024, 10, 22), ROLLED).words("de")[2:] == [
        "Samstag, 26. Oktober 2024 fällt auf ein Wochenende: "
        "Die Frist verschiebt sich auf den nächsten Werktag (Montag, 28. Oktober 2024).",
        "Der letzte Tag ist Montag, 28. Oktober 2024, bis 24 Uhr (Brüsseler Zeit).",
    ]
    assert deadline(date(2024, 10, 28), ROLLED).words("en")[2] == (
        "Friday 1 November 2024 (All Saints' Day) is a public holiday: "
        "the deadline moves to the next working day, Monday 4 November 2024."
    )


def test_one_day_has_its_own_words_in_each_language() -> None:
    for lang in LANGUAGES:
        one = deadline(date(2024, 10, 14), Rule(count=1)).words(lang)[1]
        assert "1 " not in one.split("2024")[0].replace("15", "")


def test_skipped_holidays_are_named() -> None:
    rule = Rule(count=9, unit="working_days", holidays="be_wallonia_tutelle", act="notification")
    words = deadline(date(2024, 12, 20), rule).words("fr")
    assert "Le jeudi 26 décembre 2024 (Lendemain de Noël) est un jour férié et ne compte pas." in words


def test_rule_is_read_from_data() -> None:
    data = {"count": 4, "unit": "calendar_days", "roll_over": "next_working_day", "holidays": "be_legal"}
    assert Rule.from_data({**data, "act": "deposit"}) == ROLLED
    assert Rule.from_data({"count": 8}).zone == "Europe/Brussels"


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "count"),
        ({"count": 0}, "count"),
        ({"count": True}, "count"),
        ({"count": "8"}, "count"),
        ({"count": 8, "unit": "moons"}, "unit"),
        ({"count": 8, "roll_over": "back"}, "roll_over"),
        ({"count": 8, "holidays": "fr"}, "holidays"),
        ({"count": 8, "zone": "Europe/Namur"}, "zone"),
        ({"count": 8, "zone": ""}, "zone"),
        ({"count": 8, "start_excluded": "no"}, "start_excluded"),
        ({"count": 8, "days": 3}, "days"),
    ],
)
def test_wrong_rule_names_its_field(data: dict[str, object], field: str) -> None:
    with pytest.raises(RuleError, match=field):
        Rule.from_data(data)


def test_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        local_date(datetime(2024, 10, 21))  # noqa: DTZ001
