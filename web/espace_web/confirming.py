"""« Confirmer »: a deposit or an answer is sent once, and counts from its first arrival.

Its key comes from what is confirmed: the page opened again, after whatever went wrong, sends the same key, by
which dossier knows the first instant. Only what was refused and is confirmed again is a new attempt.
"""

import uuid

from flask import request
from werkzeug.wrappers import Response

from espace_web.context import api, current_session, form_key, house, language, page
from espace_web.id_tokens import IdentityAway
from espace_web.remote import Refused, ServiceDown

CONTENT_FIELD = "contenu"
REFUSALS = frozenset({403, 409, 422})
RETRY_AFTER_SECONDS = 5


class Unanswered(Exception):
    """Whether the confirmation arrived is not known."""


def confirmation_key(target_id: str, content: str) -> str:
    """The key for confirming this content of a dossier or of a request for information."""
    return str(uuid.uuid5(uuid.UUID(target_id), f"{content} {_refused(target_id)}"))


def confirm(path: str, target_id: object) -> None:
    """Send what the citizen saw to ``path``.

    Raises:
        Refused: it was not accepted; confirming it again would be another attempt.
        Unanswered: nobody says; it can be repeated as the same.
    """
    try:
        seen = {"content_sha256": request.form.get(CONTENT_FIELD, "")}
        api("dossier").post(f"{path}?language={language()}", seen, key=form_key())
    except (ServiceDown, IdentityAway) as error:
        raise Unanswered from error
    except Refused as error:
        if error.code == "request_in_progress":
            raise Unanswered from error
        if error.status in REFUSALS:
            refused = {**_refusals(), str(target_id): _refused(str(target_id)) + 1}
            house().store.change(current_session(), refused=refused)
        raise


def once_more(_error: Unanswered) -> Response:
    """The same form with the same key and content."""
    content = request.form.get(CONTENT_FIELD, "")
    response = page("deposit/again.html", 503, key=form_key(), content=content, back=request.path)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _refused(target_id: str) -> int:
    return _refusals().get(target_id, 0)


def _refusals() -> dict[str, int]:
    found: dict[str, int] = current_session().data.get("refused", {})
    return found
