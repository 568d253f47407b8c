"""The language of identity's pages, and their texts."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from flask import request

from espace.i18n import LANGUAGES, REFERENCE, Texts, preferred_language

COOKIE = "__Host-langue"  # the visitor's choice on the site, which shares our origin


@cache
def texts() -> Texts:
    """The catalogues of this package."""
    return Texts(Path(__file__).parent / "locale")


def page_language(asked: Mapping[str, str]) -> str:
    """The language of a page: the client's ``ui_locales``, the visitor's choice, the browser's, else French.

    ``asked`` is the client's request; ``ui_locales`` is a list in its order of preference (OpenID Connect
    Core 1.0, 3.1.2.1).
    """
    client, visitor = asked.get("ui_locales", "").split(), request.cookies.get(COOKIE, "")
    for wanted in (*client, visitor):
        language = wanted.partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return preferred_language(request.headers.get("Accept-Language")) or REFERENCE
