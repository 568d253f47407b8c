"""Exceptions to pages: the one mapping. A page says what happened, what is kept and what to do."""

import json

from flask import Flask, g, render_template, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from espace.db import is_unavailable
from espace.telemetry import get_logger
from espace_web.confirming import RETRY_AFTER_SECONDS, Unanswered, once_more
from espace_web.context import N_, _, page, way_back
from espace_web.id_tokens import IdentityAway
from espace_web.remote import Refused, ServiceDown
from espace_web.sessions import SessionOver

log = get_logger()

TITLES = {
    400: N_("Cette demande ne peut pas être traitée"),
    403: N_("Vous n’avez pas accès à cette page"),
    404: N_("Page introuvable"),
    405: N_("Cette demande ne peut pas être traitée"),
    409: N_("Cette action n’est pas possible"),
    413: N_("Le fichier ou le formulaire est trop grand"),
    422: N_("Cette demande ne peut pas être traitée"),
    429: N_("Trop de demandes en peu de temps"),
    500: N_("Une erreur est survenue"),
    503: N_("Le service est momentanément indisponible"),
}
TEXTS = {
    400: N_("Revenez à la page précédente, rechargez-la et recommencez."),
    403: N_("Si vous pensez qu’il s’agit d’une erreur, connectez-vous à nouveau."),
    404: N_("L’adresse n’existe pas, ou ce qu’elle désigne ne vous appartient pas."),
    405: N_("Revenez à la page précédente, rechargez-la et recommencez."),
    409: N_("La page ne montre plus ce qui est enregistré. Rechargez-la et recommencez."),
    413: N_("La taille maximale d’un fichier est de 20 Mo. Réduisez-le ou divisez-le, puis recommencez."),
    422: N_("Revenez à la page précédente, rechargez-la et recommencez."),
    429: N_("Attendez un instant, puis recommencez. Rien de ce que vous avez enregistré n’est perdu."),
    500: N_("Ce qui était enregistré l’est toujours. Recommencez dans quelques instants."),
    503: N_("Ce qui était enregistré l’est toujours. Recommencez dans quelques instants."),
}
DOSSIER_CHANGED = N_("Votre dossier a changé entre-temps. Ouvrez-le pour voir son état actuel.")
LINK_OVER = N_("Le lien vers un document ne sert qu’un instant. Ouvrez-le à nouveau depuis votre dossier.")
PROBLEMS = {
    413: (
        "body_too_large",
        "Content Too Large",
        "Send at most 1 MiB; files go to the store by their signed form.",
    ),
    429: ("too_many_requests", "Too Many Requests", "Wait a moment, then repeat with the same key."),
    502: (
        "service_away",
        "Bad Gateway",
        "The service does not answer: repeat in a moment, with the same key.",
    ),
    504: ("service_slow", "Gateway Timeout", "No answer in time: repeat with the same Idempotency-Key."),
}
WORDS = {
    "nothing_to_confirm": N_("Aucune adresse n’attend d’être confirmée."),
    "too_many_messages": N_(
        "Plusieurs messages vous ont été envoyés dans l’heure. Cherchez-les, aussi parmi les indésirables, "
        "ou attendez avant d’en demander un autre."
    ),
}
# These two explain their own refusals in the page's language.
EXPLAINING = frozenset({"dossier", "documents"})
FOR_PROGRAMMERS = frozenset({"idempotency_key_reused", "request_in_progress", "value_out_of_range"})
RETRY_AFTER = frozenset({429, 502, 503, 504})


def install(app: Flask) -> None:
    """Register the mapping."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(SessionOver, _session_over)
    app.register_error_handler(ServiceDown, _away)
    app.register_error_handler(IdentityAway, _away)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(Unanswered, once_more)
    app.register_error_handler(Exception, _unexpected)


def error_page(status: int, detail: str | None = None) -> Response:
    """The page of one status; ``detail`` replaces its usual text. JSON for our own script."""
    known = status if status in TITLES else 500
    text = detail or _(TEXTS[known])
    if wants_json():
        response = Response(json.dumps({"error": text}), status, mimetype="application/json")
    else:
        response = page("errors/error.html", status, heading=_(TITLES[known]), text=text, code=status)
    return _later(response)


def gateway_page(status: int) -> Response:
    """The page for what the gateway answers itself, or the store through it."""
    if status == 403:
        return error_page(403, _(LINK_OVER))
    return error_page(503 if status in (502, 504) else status)


def problem(status: int) -> Response:
    """What the gateway itself could not pass on, as RFC 9457 problem details."""
    code, title, detail = PROBLEMS[status]
    body = {
        "type": f"urn:espace:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
    }
    return _later(Response(json.dumps(body), status, mimetype="application/problem+json"))


def wants_json() -> bool:
    """Whether our script asks, and not a page."""
    return request.headers.get("Accept", "").startswith("application/json")


def _later(response: Response) -> Response:
    if response.status_code in RETRY_AFTER:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _http(error: HTTPException) -> Response:
    response = error_page(error.code or 500)
    if isinstance(error.get_response(), Response) and error.code == 405:
        response.headers["Allow"] = error.get_response().headers.get("Allow", "")
    return response


def _session_over(_error: SessionOver) -> Response:
    g.session = None
    if wants_json():
        return Response('{"error": "session"}', 401, mimetype="application/json")
    return page("errors/signed_out.html", 401, target=way_back(), kept=False, expired=True)


def _away(_error: Exception) -> Response:
    return error_page(503)


def _refused(error: Refused) -> Response:
    if error.status == 401:
        return _session_over(SessionOver())
    if error.code == "level_too_low":
        level, target = error.problem["min_level"], way_back()
        return page("errors/level.html", 403, level=level, target=target)
    status = 409 if error.status in (412, 429) else error.status  # 429 is the gateway's own
    return error_page(status if status in TITLES else 400, _detail(error))


def _detail(error: Refused) -> str | None:
    """What the page says of a refusal; what services tell only programmers is not shown."""
    if error.status == 412:
        return _(DOSSIER_CHANGED)
    if error.code in WORDS:
        return _(WORDS[error.code])
    told = error.service in EXPLAINING and error.status in (403, 409, 422)
    return error.detail if told and error.code not in FOR_PROGRAMMERS and not error.violations else None


def _unexpected(error: Exception) -> Response:
    if isinstance(error, SQLAlchemyError) and is_unavailable(error):
        log.warning("http.unavailable", reason=type(error).__name__, route=str(request.url_rule))
        return _bare(503)
    log.error("http.failed", exc_info=error, route=str(request.url_rule))
    return _bare(500)


def _bare(status: int) -> Response:
    # Nothing that may fail again: no session, no service.
    g.session = None
    g.setdefault("language", "fr")
    text = render_template("errors/error.html", heading=_(TITLES[status]), text=_(TEXTS[status]), code=status)
    return _later(Response(text, status, mimetype="text/html"))
