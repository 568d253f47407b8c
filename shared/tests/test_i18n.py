"""Texts and dates in four languages."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from espace.i18n import (
    LANGUAGES,
    MissingText,
    Texts,
    best_language,
    format_date,
    format_instant,
    kit_texts,
    preferred_language,
)

HEAD = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'


@pytest.fixture
def texts(tmp_path: Path) -> Texts:
    (tmp_path / "fr.po").write_text(
        HEAD + 'msgid "hello"\nmsgstr "Bonjour %(name)s"\n\nmsgid "only"\nmsgstr "100 % français"\n\n'
        'msgid "file"\nmsgid_plural "file"\nmsgstr[0] "%(n)s fichier"\nmsgstr[1] "%(n)s fichiers"\n'
    )
    (tmp_path / "nl.po").write_text(
        HEAD + 'msgid "hello"\nmsgstr "Dag %(name)s"\n\n#, fuzzy\nmsgid "only"\nmsgstr "onzeker"\n\n'
        'msgid "file"\nmsgid_plural "file"\nmsgstr[0] "%(n)s bestand"\nmsgstr[1] "%(n)s bestanden"\n'
    )
    return Texts(tmp_path)


def test_text_in_the_language_or_in_french(texts: Texts) -> None:
    assert texts.gettext("nl", "hello", name="Nora") == "Dag Nora"
    assert texts.gettext("de", "hello", name="Nora") == "Bonjour Nora"
    assert texts.gettext("nl", "only") == "100 % français"
    assert texts.missing("nl") == {"only"}


def test_plural_forms_follow_the_language(texts: Texts) -> None:
    assert [texts.ngettext("fr", "file", n) for n in (0, 1, 2)] == ["0 fichier", "1 fichier", "2 fichiers"]
    assert [texts.ngettext("nl", "file", n) for n in (0, 1, 2)] == ["0 bestanden", "1 bestand", "2 bestanden"]


def test_missing_text_or_value_is_an_error(texts: Texts) -> None:
    with pytest.raises(MissingText):
        texts.gettext("nl", "nothing")
    with pytest.raises(KeyError):
        texts.gettext("nl", "hello")


def test_kit_catalogues_are_complete_and_not_copies() -> None:
    texts = kit_texts()
    french = texts.texts("fr")
    for lang in LANGUAGES[1:]:
        assert not texts.missing(lang)
        assert not {key for key, text in texts.texts(lang).items() if text == french[key]}


@pytest.mark.parametrize(
    ("lang", "day", "instant", "with_seconds"),
    [
        ("fr", "mardi 1er octobre 2024", "lundi 21 octobre 2024 à 23 h 59", "23 h 59 min 59 s"),
        ("nl", "dinsdag 1 oktober 2024", "maandag 21 oktober 2024 om 23.59 uur", "23.59.59 uur"),
        ("de", "Dienstag, 1. Oktober 2024", "Montag, 21. Oktober 2024, 23.59 Uhr", "23.59.59 Uhr"),
        ("en", "Tuesday 1 October 2024", "Monday 21 October 2024 at 23:59", "23:59:59"),
    ],
)
def test_dates_are_long_and_instants_are_cut(lang: str, day: str, instant: str, with_seconds: str) -> None:
    at = datetime(2024, 10, 21, 21, 59, 59, 900_000, tzinfo=UTC)
    assert format_date(date(2024, 10, 1), lang) == day
    assert format_instant(at, lang) == instant
    assert format_instant(at, lang, seconds=True).endswith(with_seconds)


def test_repeated_hour_says_which_of_the_two() -> None:
    summer, winter = datetime(2024, 10, 27, 0, 30, tzinfo=UTC), datetime(2024, 10, 27, 1, 30, tzinfo=UTC)
    assert format_instant(summer, "fr") == "dimanche 27 octobre 2024 à 2 h 30 (heure d’été)"
    assert format_instant(winter, "nl") == "zondag 27 oktober 2024 om 2.30 uur (wintertijd)"
    assert "(" not in format_instant(datetime(2024, 3, 31, 1, 0, tzinfo=UTC), "fr")
    assert "(" not in format_instant(datetime(2024, 3, 31, 0, 59, tzinfo=UTC), "fr")


@pytest.mark.parametrize(
    ("wanted", "spoken"),
    [("nl-BE", "nl"), ("DE", "de"), ("en_GB", "en"), ("pt", "fr"), (None, "fr"), ("", "fr")],
)
def test_best_language(wanted: str | None, spoken: str) -> None:
    assert best_language(wanted) == spoken


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("nl", "nl"),
        ("en-GB, fr;q=0.5", "en"),
        ("fr;q=0.5, DE-be", "de"),
        ("pt, es-419;q=0.9, nl-BE;q=0.8, fr;q=0.7", "nl"),
        ("fr;q=0.8, nl;q=0.8", "fr"),
        ("de ; Q=0.2 , en\t;q=0.30", "en"),
        ("zh-Hant-TW, fr;q=1.000", "fr"),
        ("nl;q=0, de;q=0.001", "de"),
        ("nl;q=0", None),
        ("fr;q=high, nl;q=-1, de;q=2, en;q=0.1", "en"),
        ("frites, deutsch", None),
        ("*", None),
        (",;q=1,", None),
        ("", None),
        (None, None),
    ],
)
def test_a_browsers_first_language_of_ours_is_spoken(header: str | None, language: str | None) -> None:
    assert preferred_language(header) == language
