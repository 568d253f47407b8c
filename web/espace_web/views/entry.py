"""Coming in and going out: the public home, login, logout, the provider's logout notice, the language."""

import hashlib
from typing import Any

from flask import Blueprint, abort, g, redirect, request
from werkzeug.wrappers import Response

from espace.clock import utcnow
from espace.telemetry import get_logger
from espace_web import asides
from espace_web.context import (
    SESSION_COOKIE,
    View,
    before_space,
    drop_cookie,
    house,
    language,
    local_path,
    page,
    public,
    set_cookie,
)
from espace_web.id_tokens import IdentityAway, LoginRefused, level_of
from espace_web.oidc import Attempt, OpenIdClient
from espace_web.vault import Tampered

views = Blueprint("entry", __name__)
log = get_logger()
ATTEMPT_SECONDS = 15 * 60
DESTINATION_LENGTH = 1000  # a cookie has 4096 bytes
LEVELS = frozenset({350, 400, 450, 500})
# What a stronger login within a session does not ask again.
CARRIED = ("language", "news_seen", "space_chosen", "notice_seen", "ready", "refused")


def csrf_exempt(view: View) -> View:
    """Mark a route that another program posts to; it proves itself otherwise."""
    view.csrf_exempt = True  # type: ignore[attr-defined]
    return view


@views.get("/")
@public
def home() -> Response:
    """The public home; who is signed in goes on to the counter."""
    return redirect("/accueil", 303) if g.session is not None else page("home.html")


@views.get("/connexion")
@public
def sign_in() -> Response:
    """Begin a login. Its secrets travel in an encrypted cookie of this browser: no row, no session yet."""
    level = request.args.get("niveau", 0, type=int)
    wanted = request.args.get("retour", "")
    destination = local_path(wanted, "") if len(wanted) <= DESTINATION_LENGTH else ""
    attempt = Attempt.new(destination, level if level in LEVELS else 0)
    response = redirect(house().oidc.authorize_url(attempt, language()), 303)
    name = _attempt_cookie(attempt.state)
    sealed = house().vault.seal(vars(attempt), name)
    set_cookie(response, name, sealed.hex(), ATTEMPT_SECONDS)
    return response


@views.get("/connexion/retour")
@public
def come_back() -> Response:
    """The provider's answer: verified, exchanged, and a session with a new id."""
    name = _attempt_cookie(request.args.get("state", ""))
    try:
        attempt = _open_attempt(name)
        tokens, claims = house().oidc.finish(attempt, request.args.to_dict())
        person = house().oidc.userinfo(tokens.access)
        if person.get("sub") != claims["sub"]:
            raise LoginRefused("userinfo of someone else")
    except LoginRefused as error:
        log.warning("login.failed", means=None, reason=str(error))
        response = page("errors/login.html", 400, cancelled=request.args.get("error") == "access_denied")
        drop_cookie(response, name)
        return response
    data = {
        **_carried(attempt, claims["sub"]),
        "tokens": tokens.to_data(),
        "person": {
            "given_name": person.get("given_name", ""),
            "family_name": person.get("family_name", ""),
            "language": person.get("locale"),
        },
        "level": level_of(claims.get("acr")),
        "destination": attempt.destination,
    }
    old = request.cookies.get(SESSION_COOKIE)
    if old:
        house().store.end(old)
    token = house().store.create(claims["sub"], claims.get("sid"), data)
    log.info("login.succeeded", citizen_id=claims["sub"], means=None, level=data["level"])
    response = redirect("/suite", 303)
    drop_cookie(response, name)
    set_cookie(response, SESSION_COOKIE, token)
    return response


@views.post("/deconnexion")
@public
def sign_out() -> Response:
    """End the session here, then at the provider; when that cannot be done from here, send her there."""
    session = g.session
    target = "/deconnecte"
    if session is not None:
        house().store.end(session.token)
        if not house().oidc.end_session(session.data["tokens"]["id_token"]):
            target = house().oidc.logout_url()
        log.info("logout.succeeded", citizen_id=session.citizen_id)
    return _clear(redirect(target, 303))


@views.get("/deconnecte")
@public
def signed_out() -> Response:
    """After logout. Who is signed in has followed a link of someone else's: nothing ends by a GET."""
    if g.session is not None:
        return redirect("/accueil", 303)
    return _clear(page("signed_out.html"))


@views.post("/connexion/backchannel")
@public
@csrf_exempt
def back_channel() -> Response:
    """OpenID Connect Back-Channel Logout 1.0: the provider says that a session is over."""
    client: OpenIdClient = house().oidc
    try:
        claims = client.verify_logout_token(request.form.get("logout_token", ""))
    except LoginRefused as error:
        log.warning("auth.refused", reason=str(error))
        return Response('{"error": "invalid_request"}', 400, mimetype="application/json")
    except IdentityAway:
        return Response('{"error": "temporarily_unavailable"}', 503, mimetype="application/json")
    if not house().store.end_by_provider(claims["jti"], claims.get("sid"), claims.get("sub")):
        return Response('{"error": "invalid_request"}', 400, mimetype="application/json")
    return Response("", 200)


@views.post("/langue")
@public
def choose_language() -> Response:
    """The language menu of a page with nothing to type."""
    if asides.LANGUAGE_FIELD not in request.form:
        abort(400)
    return asides.follow(local_path(request.form.get("retour"), "/"))


@views.post("/cookies/accepter")
@public
def accept_cookies() -> Response:
    """« Accepter » in the cookie banner of a page with nothing to type."""
    return asides.follow(local_path(request.form.get("retour"), "/"))


@views.post("/session/prolonger")
@before_space
def stay() -> Response:
    """« Rester connecté »: the request itself is the activity."""
    return Response("", 204)


def _attempt_cookie(state: str) -> str:
    return "__Host-connexion-" + hashlib.sha256(state.encode()).hexdigest()[:16]


def _open_attempt(name: str) -> Attempt:
    try:
        attempt = Attempt(**house().vault.open(bytes.fromhex(request.cookies.get(name, "")), name))
    except (Tampered, ValueError, TypeError) as error:
        raise LoginRefused("this browser began no such login") from error
    if attempt.begun + ATTEMPT_SECONDS < utcnow().timestamp():
        raise LoginRefused("begun too long ago")
    return attempt


def _carried(attempt: Attempt, citizen_id: str) -> dict[str, Any]:
    session = g.session
    if not attempt.level or session is None or session.citizen_id != citizen_id:
        return {}
    return {name: session.data[name] for name in CARRIED if name in session.data}


def _clear(response: Response) -> Response:
    drop_cookie(response, SESSION_COOKIE)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
