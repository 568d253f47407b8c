"""What was typed is not lost: a form that could not be dealt with is kept for its page's next opening."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import g, request
from werkzeug.wrappers import Response

from espace_web import csrf
from espace_web.asides import COOKIES_FIELD, LANGUAGE_FIELD
from espace_web.context import KEY_FIELD, _, current_session, house, page, way_back
from espace_web.errors import TEXTS, error_page, wants_json
from espace_web.id_tokens import IdentityAway
from espace_web.remote import Refused, ServiceDown
from espace_web.sessions import SessionOver

NOT_KEPT = frozenset({csrf.FIELD, KEY_FIELD, LANGUAGE_FIELD, COOKIES_FIELD})
Arguments = ParamSpec("Arguments")


def keep(citizen_id: str) -> None:
    """Keep this request's form for the citizen."""
    values = {name: request.form.getlist(name) for name in request.form if name not in NOT_KEPT}
    house().store.keep_form(citizen_id, request.path, values)


def keeps_form(view: Callable[Arguments, Response]) -> Callable[Arguments, Response]:
    """Mark a view whose form is kept when it arrives after the session's end, or when it cannot be saved."""

    @wraps(view)
    def careful(*arguments: Arguments.args, **named: Arguments.kwargs) -> Response:
        try:
            return view(*arguments, **named)
        except (ServiceDown, IdentityAway, SessionOver, Refused) as error:
            keep(current_session().citizen_id)
            if wants_json():
                raise
            if isinstance(error, SessionOver) or (isinstance(error, Refused) and error.status == 401):
                return _signed_out()
            if isinstance(error, Refused):
                raise
            return _away()

    careful.keeps_form = True  # type: ignore[attr-defined]
    return careful


def _signed_out() -> Response:
    g.session = None
    return page("errors/signed_out.html", 401, target=way_back(), kept=True, expired=True)


def _away() -> Response:
    return error_page(503, f"{_('Vos données sont conservées.')} {_(TEXTS[503])}")
