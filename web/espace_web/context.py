"""What a view reaches for: the parts of the program, the session, the language, the services."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from flask import current_app, g, make_response, render_template, request
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.wrappers import Response

from espace.clock import LegalClock
from espace.db import Database
from espace.i18n import Texts
from espace_web.oidc import OpenIdClient
from espace_web.remote import Remote
from espace_web.sessions import Session, SessionStore
from espace_web.settings import WebSettings
from espace_web.tokens import TokenKeeper
from espace_web.vault import Vault

SESSION_COOKIE = "__Host-mes"
LANGUAGE_COOKIE = "__Host-langue"
COOKIES_COOKIE = "__Host-cookies"
KEY_FIELD = "cle"
YEAR_SECONDS = 365 * 24 * 3600

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class House:
    """The program's parts, wired once in :mod:`espace_web.app`."""

    settings: WebSettings
    database: Database
    vault: Vault
    store: SessionStore
    oidc: OpenIdClient
    tokens: TokenKeeper
    remote: Remote
    texts: Texts
    clock: LegalClock


def house() -> House:
    """The parts of the running program."""
    parts: House = current_app.extensions["espace_web"]
    return parts


def public(view: View) -> View:
    """Mark a view that needs no session. Every other view does."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def before_space(view: View) -> View:
    """Mark a view that may be opened before the way in (news, choice of space, notice) is done."""
    view.before_space = True  # type: ignore[attr-defined]
    return view


def current_session() -> Session:
    """The live session; a view that is not public always has one."""
    session: Session = g.session
    return session


def language() -> str:
    """The page's language."""
    found: str = g.get("language", "fr")
    return found


def _(msgid: str, /, **params: Any) -> str:
    """The text in the page's language; French is its own id."""
    return house().texts.gettext(language(), msgid, **params)


def N_(msgid: str) -> str:  # noqa: N802  the usual name of gettext's marker
    """Mark a text for the catalogues; translate it later with ``_``."""
    return msgid


class Api:
    """One service, called as the signed-in citizen."""

    def __init__(self, service: str, *, anonymous: bool = False) -> None:
        self._service = service
        self._anonymous = anonymous

    def get(self, path: str, **params: Any) -> Any:
        """Read."""
        return self._call("GET", path, params=params or None).json()

    def file(self, path: str, **params: Any) -> httpx.Response:
        """Read what is not JSON."""
        return self._call("GET", path, params=params)

    def post(self, path: str, json: Any, *, key: str) -> Any:
        """Do something once, whatever becomes of the connection."""
        return self._call("POST", path, json=json, key=key).json()

    def put(self, path: str, json: Any) -> Any:
        """Set something."""
        return self._call("PUT", path, json=json).json()

    def patch(self, path: str, json: Any, *, version: int) -> Any:
        """Change what was read at ``version``."""
        return self._call("PATCH", path, json=json, version=version).json()

    def delete(self, path: str, *, version: int) -> Any:
        """Remove what was read at ``version``."""
        return self._call("DELETE", path, version=version).json()

    def _call(self, method: str, path: str, **rest: Any) -> httpx.Response:
        token = None if self._anonymous else house().tokens.access_token(current_session())
        remote = house().remote
        return remote.call(self._service, method, path, token=token, language=language(), **rest)


def api(service: str) -> Api:
    """A service, as the citizen."""
    return Api(service)


def form_key(*parts: str) -> str:
    """The idempotency key born with the form; ``parts`` make one for each of the calls it causes."""
    try:
        born = uuid.UUID(request.form.get(KEY_FIELD, ""))
    except ValueError:
        born = uuid.uuid4()
    return str(uuid.uuid5(born, " ".join(parts)) if parts else born)


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A rendered page."""
    return make_response(render_template(template, **values), status)


def set_cookie(response: Response, name: str, value: str, max_age: int | None = None) -> None:
    """Set one of our cookies: ``__Host-``, out of reach of scripts, not sent from other sites."""
    response.set_cookie(
        name, value, max_age=max_age, secure=True, httponly=True, samesite="Lax", path="/", domain=None
    )


def drop_cookie(response: Response, name: str) -> None:
    """Ask the browser to forget a cookie."""
    response.delete_cookie(name, path="/", secure=True, httponly=True, samesite="Lax")


def local_path(path: str | None, default: str = "/accueil") -> str:
    """``path`` when it stays on this site, else ``default``: no open redirect."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")):
        return default
    if any(ord(letter) < 32 or letter == "\\" for letter in path):
        return default
    return path


def way_back() -> str:
    """Where to go on after logging in again: this page, or the one a form stood on, else the home page."""
    if request.method == "GET":
        return request.full_path.rstrip("?")
    try:
        current_app.url_map.bind("").match(request.path, method="GET")
    except (NotFound, MethodNotAllowed):
        return "/accueil"
    return request.path
