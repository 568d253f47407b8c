"""Who may call which route: declared for each, denied where nothing is declared."""

from typing import Literal, cast

from flask import Flask, Response, current_app, g, request

from espace import telemetry
from espace.auth import InvalidToken, Principal, TokenVerifier
from espace.http.errors import answer
from espace.http.problems import Problem

Auth = Literal["citizen", "service", "public", "inside"]
EXTENSION = "espace.access"
log = telemetry.get_logger()


class UndeclaredRouteError(Exception):
    """A route without declared authentication."""


class Access:
    """The authentication of each endpoint of one app.

    ``inside`` is public on the inside listener: the gateway has no route there.
    """

    def __init__(self, app: Flask, service: str, verifier: TokenVerifier) -> None:
        self._service, self._verifier = service, verifier
        self.declared: dict[str, Auth] = {}
        app.extensions[EXTENSION] = self
        app.before_request(self.enforce)

    def declare(self, endpoint: str, auth: Auth) -> None:
        """Say who may call ``endpoint``."""
        self.declared[endpoint] = auth

    def check(self, app: Flask) -> None:
        """Refuse an app with an undeclared route.

        Raises:
            UndeclaredRouteError: names them.
        """
        missing = [rule.rule for rule in app.url_map.iter_rules() if rule.endpoint not in self.declared]
        if missing:
            raise UndeclaredRouteError(f"no authentication is declared for {', '.join(sorted(missing))}")

    def enforce(self) -> Response | None:
        """Before each request: authenticate the caller as the route declares."""
        if request.endpoint is None:
            return None  # 404 or 405 follows
        auth = self.declared.get(request.endpoint)
        if auth is None:
            raise UndeclaredRouteError(request.endpoint)
        if auth in ("public", "inside"):
            return None
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return _unauthorized("token_missing", "Send an access token: Authorization: Bearer ….", "")
        try:
            if auth == "citizen":
                g.espace_principal = self._verifier.citizen(token.strip())
            else:
                g.espace_principal = self._verifier.service(token.strip(), self._service)
        except InvalidToken as refusal:
            log.info("auth.refused", reason=str(refusal), wanted=auth)
            return _unauthorized(
                "token_invalid", "The access token is not acceptable here.", ', error="invalid_token"'
            )
        g.espace_bearer = token.strip()
        return None


def principal() -> Principal:
    """The caller of the request in hand.

    Raises:
        LookupError: the route is public.
    """
    found = g.get("espace_principal")
    if found is None:
        raise LookupError("a public route has no principal")
    return cast(Principal, found)


def bearer() -> str:
    """The caller's own access token, to call another service on the citizen's behalf."""
    principal()
    return cast(str, g.espace_bearer)


def routes(app: Flask) -> list[tuple[str, str, Auth]]:
    """Every (method, rule, authentication) of ``app``, without the automatic HEAD and OPTIONS."""
    access = cast(Access, app.extensions[EXTENSION])
    return sorted(
        (method, rule.rule, access.declared[rule.endpoint])
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


def idempotency_scope() -> str:
    """Under whose name an answer is kept: the principal's, or nobody's on a public route."""
    found = g.get("espace_principal")
    return found.key if isinstance(found, Principal) else "public"


def _unauthorized(code: str, detail: str, error: str) -> Response:
    challenge = f'Bearer realm="{current_app.name}"{error}'
    return answer(Problem(401, code, detail, headers={"WWW-Authenticate": challenge}))
