"""What the head and the foot of a page offer beside it: another language, the notice on cookies.

On a page with something to type their buttons send its own form, so that what was typed arrives with them.
"""

import contextlib

from flask import abort, g, redirect, request
from werkzeug.wrappers import Response

from espace.i18n import LANGUAGES
from espace_web.context import COOKIES_COOKIE, LANGUAGE_COOKIE, YEAR_SECONDS, api, house, set_cookie
from espace_web.id_tokens import IdentityAway
from espace_web.journey import COOKIES_VERSION
from espace_web.remote import Refused, ServiceDown

LANGUAGE_FIELD = "langue"
COOKIES_FIELD = "cookies"


def asked() -> bool:
    """Whether one of their buttons sent the form in hand."""
    return LANGUAGE_FIELD in request.form or COOKIES_FIELD in request.form


def follow(target: str) -> Response:
    """Do what was asked, here and for who is signed in in the profile too; then to ``target``."""
    response = redirect(target, 303)
    wanted = request.form.get(LANGUAGE_FIELD)
    if wanted is None:
        _remember("/profile/notices/cookies", {"version": COOKIES_VERSION, "hidden": True})
        set_cookie(response, COOKIES_COOKIE, COOKIES_VERSION, YEAR_SECONDS)
        return response
    if wanted not in LANGUAGES:
        abort(400)
    if g.session is not None:
        house().store.change(g.session, language=wanted)
    _remember("/profile/language", {"language": wanted})
    set_cookie(response, LANGUAGE_COOKIE, wanted, YEAR_SECONDS)
    return response


def _remember(path: str, value: dict[str, object]) -> None:
    """This browser remembers it by a cookie of its own, whatever becomes of this."""
    if g.session is not None:
        with contextlib.suppress(ServiceDown, Refused, IdentityAway):
            api("profile").put(path, value)
