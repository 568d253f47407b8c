"""Which language the caller reads."""

from flask import request

from espace.i18n import LANGUAGES, REFERENCE


def wanted_language() -> str:
    """The query's ``language``, else the best of ``Accept-Language``, else French."""
    asked = request.args.get("language", "")
    if asked in LANGUAGES:
        return asked
    return request.accept_languages.best_match(LANGUAGES) or REFERENCE
