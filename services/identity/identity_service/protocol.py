"""The provider's endpoints for programs: discovery, keys, token, userinfo."""

from typing import Any

from authlib.oauth2 import OAuth2Error
from flask import Response, jsonify, request

from espace.http import Blueprint, transaction
from espace.telemetry import get_logger
from identity_service import limits, provider
from identity_service.browser import address
from identity_service.context import Context

log = get_logger()
TEXT = {"type": "string"}
TOKEN_FORM = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"enum": ["authorization_code", "refresh_token", "client_credentials"]},
        **dict.fromkeys(("code", "redirect_uri", "code_verifier", "refresh_token"), TEXT),
        "resource": {**TEXT, "description": "With client_credentials: short name of the service to call."},
        **dict.fromkeys(("client_id", "client_secret"), TEXT),
    },
}
TOKENS = {
    "type": "object",
    "required": ["access_token", "token_type", "expires_in"],
    "properties": {
        **dict.fromkeys(("access_token", "token_type", "scope", "refresh_token", "id_token"), TEXT),
        "expires_in": {"type": "integer"},
    },
}
OAUTH_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": dict.fromkeys(("error", "error_description"), TEXT),
}


def create(context: Context) -> Blueprint:
    """The blueprint."""
    routes = Blueprint(
        "protocol",
        __name__,
        service="identity",
        auth="public",
        url_prefix="/identity",
        description="OpenID Connect. A browser also visits `/identity/authorize` and `/identity/logout`, "
        "which the discovery document names.",
    )

    @routes.get("/.well-known/openid-configuration")
    @routes.alt_response(200, schema={"type": "object"})
    def configuration() -> Response:
        """What this provider can do (OpenID Connect Discovery 1.0)."""
        return _cacheable(jsonify(provider.discovery(context.settings.issuer)))

    @routes.get("/jwks.json")
    @routes.alt_response(200, schema={"type": "object"})
    def jwks() -> Response:
        """The public keys of tokens (RFC 7517)."""
        return _cacheable(jsonify(context.keys.jwks))

    @routes.post("/token")
    @routes.doc(
        requestBody={
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": TOKEN_FORM}},
        }
    )
    @routes.alt_response(200, schema=TOKENS)
    @routes.alt_response(400, schema=OAUTH_ERROR)
    @routes.alt_response(401, schema=OAUTH_ERROR)
    def token() -> Any:
        """Tokens for a code, a refresh token, or a service's own name (RFC 6749, 7636, 8707)."""
        with transaction():
            answer = context.provider.create_token_response()
        if answer.status_code >= 400:
            refused(answer)
        return answer

    @routes.route("/userinfo", methods=["GET", "POST"])
    @routes.doc(security=[{"citizen": []}])
    @routes.alt_response(200, schema={"type": "object", "required": ["sub"]})
    @routes.alt_response(401, schema=OAUTH_ERROR)
    def userinfo() -> Any:
        """What the scopes of the token tell of its citizen (OpenID Connect Core 1.0, 5.3)."""
        with transaction():
            return context.provider.create_endpoint_response("userinfo")

    def refused(answer: Response) -> None:
        error = str((answer.get_json(silent=True) or {}).get("error", ""))
        user = request.authorization.username if request.authorization else request.form.get("client_id")
        known = context.clients.find(user or "") is not None
        log.warning("token.refused", client_id=user if known else "unknown", error=error)
        if error == "invalid_client":
            limits.spend(context.database, "client", address(), context.settings.forms_per_minute)

    @routes.errorhandler(OAuth2Error)  # type: ignore[untyped-decorator]
    def oauth_error(error: OAuth2Error) -> Any:
        return context.provider.handle_error_response(None, error)

    return routes


def _cacheable(response: Response) -> Response:
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
