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


def create(context: Context) -> Blueprint:
    """The blueprint."""
    routes = Blueprint(
        "protocol",
        __name__,
        service="identity",
        auth="public",
        documented=False,
        url_prefix="/identity",
    )

    @routes.get("/.well-known/openid-configuration")
    def configuration() -> Response:
        return _cacheable(jsonify(provider.discovery(context.settings.issuer)))

    @routes.get("/jwks.json")
    def jwks() -> Response:
        return _cacheable(jsonify(context.keys.jwks))

    @routes.post("/token")
    def token() -> Any:
        with transaction():
            answer = context.provider.create_token_response()
        if answer.status_code >= 400:
            refused(answer)
        return answer

    @routes.route("/userinfo", methods=["GET", "POST"])
    def userinfo() -> Any:
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
