"""Papers as PDF by typst, archival (PDF/A-2a) and accessible (PDF/UA-1); same paper, same bytes."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, Literal

import typst

from documents_service.papers import Paper

FOLDER: Final = Path(__file__).parent / "typst"
STANDARDS: Final[list[Literal["a-2a", "ua-1"]]] = ["a-2a", "ua-1"]
MOST_TRIES: Final = 64

_UNPRINTABLE = re.compile(r'the text `"(.+)"` could not be displayed', re.S)
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)", re.S)
_BEYOND = re.compile("[^\t\n -\u052f\u1e00-\u20ff]")  # Latin, Greek, Cyrillic and punctuation are there


def render(paper: Paper) -> bytes:
    """The PDF of ``paper``.

    The two standards allow no character without a glyph; typst's own fonts lack emoji and the scripts of
    Asia. Such a character is written as its code, ``[U+1F600]``, and the paper says so.
    """
    missing: set[str] = set()
    for _ in range(MOST_TRIES):
        try:
            return _compile(paper, missing)
        except typst.TypstError as error:
            found = _UNPRINTABLE.search(error.message)
            if found is None:
                raise
            missing |= {letter for letter in _unescaped(found[1]) if letter not in " \n"}
    everything = json.dumps(paper.content, ensure_ascii=False)
    return _compile(paper, missing | set(_BEYOND.findall(everything)))


def _compile(paper: Paper, missing: Iterable[str]) -> bytes:
    table = {ord("\t"): " ", ord("\r"): None, **{ord(letter): f"[U+{ord(letter):04X}]" for letter in missing}}
    content = {**_translated(paper.content, table), "replaced": bool(missing)}
    pdf = typst.compile(
        str(FOLDER / f"{paper.kind}.typ"),
        root=str(FOLDER),
        sys_inputs={"data": json.dumps(content, ensure_ascii=False)},
        pdf_standards=[*STANDARDS],
        ignore_system_fonts=True,
        timestamp=paper.at.replace(microsecond=0),
    )
    assert isinstance(pdf, bytes)
    return pdf


def _translated(value: Any, table: dict[int, str | None]) -> Any:
    if isinstance(value, str):
        return value.translate(table)
    if isinstance(value, dict):
        return {key: _translated(item, table) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_translated(item, table) for item in value]
    return value


def _unescaped(text: str) -> str:
    """What Rust's debug form of a string stands for."""
    return _ESCAPED.sub(
        lambda found: (
            chr(int(found[1], 16)) if found[1] else {"n": "\n", "t": "\t", "r": "\r"}.get(found[2], found[2])
        ),
        text,
    )
