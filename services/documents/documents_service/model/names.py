"""File names: kept as people wrote them, less what could mislead a program or an eye."""

import re
import unicodedata
from pathlib import PurePosixPath

LONGEST = 255
UNNAMED = "document"
UNWANTED = frozenset({"Cc", "Cf", "Cs", "Co"})

_EXTENSIONS = {
    "application/pdf": (".pdf",),
    "image/png": (".png",),
    "image/jpeg": (".jpg", ".jpeg", ".jpe"),
}


def clean_name(given: str) -> str:
    """The last part of ``given`` in NFC without control, format and bidirectional override characters.

    Emoji and letters of any script stay (joiners between them go). At most 255 characters, the extension
    kept; nothing left is ``document``.
    """
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    name = "".join(letter for letter in name if unicodedata.category(letter) not in UNWANTED)
    name = re.sub(r"[\u2028\u2029]", " ", name).strip()
    if not name.strip(". "):
        return UNNAMED
    if len(name) > LONGEST:
        suffix = PurePosixPath(name).suffix
        suffix = suffix if len(suffix) <= 10 else ""
        name = name[: LONGEST - len(suffix)] + suffix
    return name


def download_name(name: str, content_type: str | None) -> str:
    """``name`` with an extension that says what the file is: ``x.pdf.exe`` holding a PDF ends on ``.pdf``."""
    wanted = _EXTENSIONS.get(content_type or "", ())
    if not wanted or name.lower().endswith(wanted):
        return name
    return name[: LONGEST - len(wanted[0])] + wanted[0]
