"""Texts for people: gettext catalogues, and dates as each language writes them.

A folder holds one catalogue per language, ``<language>.po``; it is compiled when loaded. French is the
reference: what a language lacks is shown in French, what French lacks is an error.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date as babel_date
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

LANGUAGES = ("fr", "nl", "de", "en")
REFERENCE = "fr"
BRUSSELS = ZoneInfo("Europe/Brussels")

_RANGE = re.compile(  # one entry of Accept-Language with its weight (RFC 9110, 12.5.4)
    r"\s*(?P<language>[a-z]{1,8})(?:-[a-z0-9]{1,8})*\s*(?:;\s*q=(?P<weight>0(?:\.[0-9]*)?|1(?:\.0*)?)\s*)?",
    re.IGNORECASE | re.ASCII,
)
_INSTANTS = {
    "fr": "{date} à {hour} h {minute:02}{seconds}",
    "nl": "{date} om {hour}.{minute:02}{seconds} uur",
    "de": "{date}, {hour}.{minute:02}{seconds} Uhr",
    "en": "{date} at {hour:02}:{minute:02}{seconds}",
}
_SECONDS = {"fr": " min {:02} s", "nl": ".{:02}", "de": ".{:02}", "en": ":{:02}"}
_TWICE = {  # the hour that a clock change repeats: which of the two is meant
    "fr": ("heure d’été", "heure d’hiver"),
    "nl": ("zomertijd", "wintertijd"),
    "de": ("Sommerzeit", "Winterzeit"),
    "en": ("summer time", "winter time"),
}


class MissingText(LookupError):
    """No catalogue has this text."""


class Texts:
    """The catalogues of one folder.

    Raises:
        FileNotFoundError: the reference catalogue is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._catalogues = {
            language: _read(folder / f"{language}.po", language)
            for language in LANGUAGES
            if language == REFERENCE or (folder / f"{language}.po").exists()
        }

    def gettext(self, lang: str, msgid: str, /, **params: Any) -> str:
        """The text in ``lang`` with its ``%(name)s`` filled in.

        Raises:
            MissingText: no such text.
            KeyError: the text wants a value that was not given.
        """
        text = self._find(lang, msgid)
        return self._fill(text if isinstance(text, str) else text[0], params)

    def ngettext(self, lang: str, msgid: str, n: int, /, **params: Any) -> str:
        """As :meth:`gettext` for a text with plural forms; ``%(n)s`` is the number."""
        text = self._find(lang, msgid)
        forms: Sequence[str] = (text,) if isinstance(text, str) else text
        plural = n > 1 if lang == "fr" else n != 1
        return self._fill(forms[min(int(plural), len(forms) - 1)], {"n": n, **params})

    def has(self, lang: str, msgid: str) -> bool:
        """Whether ``lang`` itself has this text."""
        return lang in self._catalogues and msgid in self._catalogues[lang]

    def missing(self, lang: str) -> set[str]:
        """The texts of the reference language that ``lang`` lacks."""
        return set(self._catalogues[REFERENCE]) - set(self._catalogues.get(lang, {}))

    def texts(self, lang: str) -> dict[str, str | tuple[str, ...]]:
        """Every text of ``lang`` by its id, unfilled."""
        return dict(self._catalogues.get(lang, {}))

    def _find(self, lang: str, msgid: str) -> str | tuple[str, ...]:
        for language in (lang, REFERENCE):
            text = self._catalogues.get(language, {}).get(msgid)
            if text is not None:
                return text
        raise MissingText(f"{msgid!r} in {lang!r}")

    @staticmethod
    def _fill(text: str, params: dict[str, Any]) -> str:
        return text % params if params or "%(" in text else text


def _read(file: Path, language: str) -> dict[str, str | tuple[str, ...]]:
    with file.open("rb") as source:
        catalogue: Catalog = read_po(source, locale=language, abort_invalid=True)
    found: dict[str, str | tuple[str, ...]] = {}
    for message in catalogue:
        if not message.id or message.fuzzy:
            continue
        msgid = message.id if isinstance(message.id, str) else message.id[0]
        text = message.string
        forms = (text,) if isinstance(text, str) else tuple(text or ())
        if forms and all(forms):
            found[msgid] = forms[0] if len(forms) == 1 else forms
    return found


@cache
def kit_texts() -> Texts:
    """The kit's own catalogues."""
    return Texts(Path(__file__).parent / "locale")


def best_language(wanted: str | None) -> str:
    """``wanted`` (``nl``, ``nl-BE``) when we speak it, else the reference language."""
    language = (wanted or "").replace("_", "-").split("-")[0].lower()
    return language if language in LANGUAGES else REFERENCE


def preferred_language(accept_language_header: str | None) -> str | None:
    """The language of ours that a browser puts first, whatever the region: ``en-GB, fr;q=0.5`` is English.

    None when it names none that we speak; what is malformed does not count.
    """
    wanted: list[tuple[float, str]] = []
    for entry in (accept_language_header or "").split(","):
        found = _RANGE.fullmatch(entry)
        if found and found["language"].lower() in LANGUAGES:
            wanted.append((float(found["weight"] or 1), found["language"].lower()))
    weight, language = max(wanted, key=lambda one: one[0], default=(0.0, None))  # of equals the first
    return language if weight else None


def format_date(day: date, lang: str) -> str:
    """The long form with its weekday: ``dimanche 13 octobre 2024``."""
    pattern = "EEEE, d. MMMM y" if lang == "de" else "EEEE d MMMM y"
    text: str = babel_date(day, pattern, locale=lang)
    return text.replace(" 1 ", " 1er ", 1) if lang == "fr" else text


def format_instant(instant: datetime, lang: str, *, seconds: bool = False) -> str:
    """Date and hour in Brussels: ``lundi 21 octobre 2024 à 23 h 59``; cut, never rounded up.

    In the hour that the end of summer time repeats, which of the two is said.
    """
    if instant.tzinfo is None:
        raise ValueError("an instant needs its time zone")
    local = instant.astimezone(BRUSSELS)
    text = _INSTANTS[lang].format(
        date=format_date(local.date(), lang),
        hour=local.hour,
        minute=local.minute,
        seconds=_SECONDS[lang].format(local.second) if seconds else "",
    )
    other = local.replace(fold=1 - local.fold)
    if other.utcoffset() != local.utcoffset() and _exists(local) and _exists(other):
        text += f" ({_TWICE[lang][local.fold]})"
    return text


def _exists(local: datetime) -> bool:
    there = local.astimezone(UTC).astimezone(BRUSSELS)
    return abs(there.replace(tzinfo=None) - local.replace(tzinfo=None)) < timedelta(seconds=1)
