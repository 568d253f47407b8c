"""Which language the caller reads."""

from flask import request

from espace.i18n import LANGUAGES, REFERENCE, preferred_language


def wanted_language() -> str:
    """The query's ``language``, else the best of ``Accept-Language``, else French."""
    asked = request.args.get("language", "")
    if asked in LANGUAGES:
        return asked
    return preferred_language(request.headers.get("Accept-Language")) or REFERENCE
