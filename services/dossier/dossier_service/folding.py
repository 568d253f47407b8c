"""How words are compared: without case, accents and the many kinds of apostrophe."""

import re
import unicodedata

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l"})
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")


def fold(text: str) -> str:
    """Lower case, no accents, words apart by one space: ``Braine-l’Alleud`` → ``braine l alleud``."""
    plain = text.casefold().translate(_LIGATURES)
    letters = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return _NOT_A_WORD.sub(" ", letters).strip()
