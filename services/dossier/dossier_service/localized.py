"""Texts of data files, one per language."""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter

LANGUAGES = ("fr", "nl", "de", "en")


def placeholders(template: str) -> set[str]:
    """The names in braces of a text such as ``Élections {election}``.

    Raises:
        ValueError: a brace has no partner.
    """
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


@dataclass(frozen=True)
class Localized:
    """One text in French, Dutch, German and English; an unknown language gets French."""

    fr: str
    nl: str
    de: str
    en: str

    def __getitem__(self, language: str) -> str:
        return str(getattr(self, language if language in LANGUAGES else "fr"))

    def all(self) -> dict[str, str]:
        """Every language's text by its code."""
        return {language: self[language] for language in LANGUAGES}

    @classmethod
    def same(cls, text: str) -> "Localized":
        """A text that is not translated: a proper name."""
        return cls(text, text, text, text)

    @classmethod
    def of(cls, texts: Mapping[str, str]) -> "Localized":
        """From a mapping that may lack languages; what is missing is French."""
        french = texts["fr"]
        return cls(*(texts.get(language, french) for language in LANGUAGES))
