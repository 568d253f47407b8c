"""This service's texts for people."""

from functools import cache
from pathlib import Path

from espace.i18n import Texts


@cache
def catalogues() -> Texts:
    """The catalogues in ``locale/``."""
    return Texts(Path(__file__).parent / "locale")
