"""Holidays and working days.

``be_legal``: the ten legal holidays (royal decree of 18 April 1974, art. 1). ``be_wallonia_tutelle``: the
fourteen of the tutelle regime, which adds 27 September, 2 and 15 November and 26 December.
"""

from datetime import date, timedelta
from functools import cache

from holidays import country_holidays

from espace.i18n import kit_texts

HOLIDAY_SETS = ("none", "be_legal", "be_wallonia_tutelle")

_DAY = timedelta(days=1)
_NOT_LEGAL = ("Easter Sunday", "Pentecost")  # Sundays that the library lists too
_TUTELLE = {(9, 27): "holiday.community", (11, 2): "holiday.all_souls", (11, 15): "holiday.king"}
_TUTELLE |= {(12, 26): "holiday.second_christmas"}
_LIBRARY_LANGUAGES = {"fr": "fr", "nl": "nl", "de": "de", "en": "en_US"}


def is_holiday(day: date, holiday_set: str) -> bool:
    """Whether ``day`` is a holiday of the set."""
    return holiday_name(day, holiday_set, "en") is not None


def holiday_name(day: date, holiday_set: str, lang: str) -> str | None:
    """What the holiday is called in ``lang``; None when it is none of the set."""
    if holiday_set not in HOLIDAY_SETS:
        raise ValueError(f"{holiday_set!r} is not one of {', '.join(HOLIDAY_SETS)}")
    if holiday_set == "none":
        return None
    name = _legal(day.year, lang).get(day)
    if name is None and holiday_set == "be_wallonia_tutelle":
        key = _TUTELLE.get((day.month, day.day))
        return kit_texts().gettext(lang, key) if key else None
    return name


def is_working_day(day: date, holiday_set: str) -> bool:
    """Monday to Friday, and no holiday of the set."""
    return day.weekday() < 5 and not is_holiday(day, holiday_set)


def next_working_day(day: date, holiday_set: str) -> date:
    """``day`` itself when it is a working day, else the first one after it."""
    while not is_working_day(day, holiday_set):
        day += _DAY
    return day


@cache
def _legal(year: int, lang: str) -> dict[date, str]:
    english = country_holidays("BE", years=year, language="en_US")
    named = country_holidays("BE", years=year, language=_LIBRARY_LANGUAGES[lang])
    return {day: named[day] for day, name in english.items() if name not in _NOT_LEGAL}
