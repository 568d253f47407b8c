"""Keeps the catalogues in step with the texts in templates and code: ``python -m espace_web.catalogues``.

The French text is its own id. ``fr.po`` is written whole; the other languages get the new texts, empty,
and lose those that nothing uses.
"""

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

from espace.i18n import LANGUAGES, REFERENCE

FOLDER = Path(__file__).parent
METHODS = [("**/catalogues.py", "ignore"), ("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
OPTIONS = {"**.html": {"silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}}


def used_texts() -> set[str]:
    """Every text that templates and code use."""
    return {text for text, _place in _found()}


def update() -> None:
    """Write the catalogues."""
    used = sorted(used_texts())
    for language in LANGUAGES:
        file = FOLDER / "locale" / f"{language}.po"
        old = _read(file, language)
        new = Catalog(locale=language, project="Mon Espace", fuzzy=False, charset="utf-8")
        new.header_comment = "# Texts of the frontend; the French text is the id."
        for text in used:
            known = old.get(text)
            string = text if language == REFERENCE else (known.string if known else "")
            new.add(text, string)
        with file.open("wb") as target:
            write_po(target, new, omit_header=False, width=0, include_lineno=False)
        # A header without dates, so that the file changes only when its texts do.
        lines = file.read_text("utf-8").splitlines(keepends=True)
        dropped = (
            '"POT-Creation-Date',
            '"PO-Revision-Date',
            '"Generated-By',
            '"Last-Translator',
            '"Language-Team',
        )
        file.write_text("".join(line for line in lines if not line.startswith(dropped)), "utf-8")


def _found() -> Iterator[tuple[str, str]]:
    for name, _line, message, _comments, _context in extract_from_dir(
        FOLDER, METHODS, OPTIONS, keywords={**DEFAULT_KEYWORDS}
    ):
        yield (message if isinstance(message, str) else message[0]), name


def _read(file: Path, language: str) -> Catalog:
    if not file.exists():
        return Catalog(locale=language)
    with file.open("rb") as source:
        return read_po(source, locale=language)


if __name__ == "__main__":
    update()
