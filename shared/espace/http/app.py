"""The factory of each service's API."""

import time
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any

import marshmallow as ma
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint as FlaskBlueprint
from flask import Flask, Response, g, jsonify, request
from flask_smorest import Api as SmorestApi
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from espace import telemetry
from espace.auth import JwksCache, TokenVerifier
from espace.config import ServiceSettings
from espace.db import Database, MigrateFirst, Revision
from espace.http import errors, matching, transactions
from espace.http.access import Access
from espace.http.blueprint import Blueprint
from espace.http.problems import Problem
from espace.telemetry import metrics, tracing

log = telemetry.get_logger()
MAX_BODY_BYTES = 1024 * 1024
QUIET = frozenset({"livez", "readyz", "metrics"})
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


_SPEC_OPTIONS: dict[str, Any] = {
    "info": {"license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"}},
    "servers": [{"url": "/"}],
    "components": {
        "securitySchemes": {
            name: {"type": "http", "scheme": "bearer", "bearerFormat": "at+jwt", "description": description}
            for name, description in {
                "citizen": "A citizen's access token, by OpenID Connect (authorization code with PKCE): "
                "/identity/.well-known/openid-configuration.",
                "service": "A service's own access token for this one as its audience, by client "
                "credentials with `resource` (RFC 8707).",
            }.items()
        }
    },
}


class ProblemSchema(ma.Schema):
    """An error (RFC 9457), as the OpenAPI document shows it."""

    type = ma.fields.Str(required=True)
    title = ma.fields.Str(required=True)
    status = ma.fields.Int(required=True)
    code = ma.fields.Str(required=True, metadata={"description": "Stable; key on it."})
    detail = ma.fields.Str(required=True, metadata={"description": "What to do."})
    instance = ma.fields.Str(required=True, metadata={"description": "The request's id."})
    errors = ma.fields.Dict(keys=ma.fields.Str(), values=ma.fields.List(ma.fields.Str()))
    violations = ma.fields.List(ma.fields.Dict())

    class Meta:
        """Marshmallow's options."""

        unknown = ma.INCLUDE  # further members, named by the code


class Api(SmorestApi):  # type: ignore[misc]
    """OpenAPI by flask-smorest, errors by :mod:`espace.http.errors`."""

    ERROR_SCHEMA = ProblemSchema
    DEFAULT_RESPONSE_CONTENT_TYPE: str = "application/json"

    def handle_http_exception(self, error: HTTPException) -> Response:
        """One mapping for all."""
        return errors.handle(error)

    def _register_responses(self) -> None:
        answers = self.DEFAULT_RESPONSE_CONTENT_TYPE
        self.DEFAULT_RESPONSE_CONTENT_TYPE = errors.CONTENT_TYPE  # of the errors registered here
        super()._register_responses()
        self.DEFAULT_RESPONSE_CONTENT_TYPE = answers


def create_app(
    service: str,
    settings: ServiceSettings,
    database: Database,
    blueprints: Iterable[Blueprint],
    *,
    title: str,
    verifier: TokenVerifier | None = None,
    problems: Mapping[type[Exception], Callable[[Any], Problem]] = MappingProxyType({}),
) -> Flask:
    """The API of one service.

    Args:
        service: short name; also the audience of tokens that other services call it with.
        settings: of the service's own class, by whose package its migrations are found.
        verifier: of access tokens; by default of identity's, with its published keys.
        problems: what callers are told about the model's own exceptions.

    Raises:
        UndeclaredRouteError: a route without declared authentication.
    """
    app = Flask(service, static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_BODY_BYTES,
        API_TITLE=title,
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=f"/api/{service}",
        API_SPEC_OPTIONS=deepcopy(_SPEC_OPTIONS),  # the library writes into it
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.extensions[transactions.EXTENSION] = database
    app.before_request(_begin)
    access = Access(
        app,
        service,
        verifier or TokenVerifier(settings.issuer, JwksCache(f"{settings.identity_url}/identity/jwks.json")),
    )
    app.after_request(_finish)
    app.register_error_handler(Exception, errors.handle)
    for kind, tell in problems.items():
        app.register_error_handler(kind, lambda error, tell=tell: errors.answer(tell(error)))
    api = Api(app, spec_kwargs={"marshmallow_plugin": MarshmallowPlugin(schema_name_resolver=_schema_name)})
    access.declare("api-docs.openapi_json", "public")
    revision = Revision(database, type(settings).__module__.partition(".")[0])
    _add_probes(app, access, database, revision)
    for blueprint in blueprints:
        _register(app, api, access, blueprint)
    access.check(app)
    metrics.describe(service, "api")
    database.report_pool()
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) & _WORK:
            metrics.expect_failures(method, rule.rule)
    return app


def _schema_name(schema: type[ma.Schema] | ma.Schema) -> str:
    """A schema's name in the OpenAPI document; a partial one is the body of an update."""
    kind = schema if isinstance(schema, type) else type(schema)
    update = isinstance(schema, ma.Schema) and bool(schema.partial)
    return kind.__name__.removesuffix("Schema") + ("Update" if update else "")


def _register(app: Flask, api: Api, access: Access, blueprint: Blueprint) -> None:
    before = {rule.endpoint for rule in app.url_map.iter_rules()}
    if isinstance(blueprint, Blueprint) and blueprint.documented:
        api.register_blueprint(blueprint)
    else:
        app.register_blueprint(blueprint)
    auth = getattr(blueprint, "auth", None)
    if auth is not None:
        for rule in app.url_map.iter_rules():
            if rule.endpoint not in before:
                access.declare(rule.endpoint, auth)


def _add_probes(app: Flask, access: Access, database: Database, revision: Revision) -> None:
    probes = FlaskBlueprint("probes", __name__)

    @probes.get("/livez", endpoint="livez")
    def live() -> Response:
        return jsonify(status="alive")

    @probes.get("/readyz", endpoint="readyz")
    def are_we_ready() -> Response:
        try:
            database.ping()
            revision.check()
        except (SQLAlchemyError, MigrateFirst) as error:
            reason = str(error) if isinstance(error, MigrateFirst) else type(error).__name__
            response = jsonify(status="not ready", reason=reason)
            response.status_code = 503
            return response
        return jsonify(status="ready")

    @probes.get("/metrics", endpoint="metrics")
    def export() -> Response:
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)

    app.register_blueprint(probes)
    for name in QUIET:
        access.declare(f"probes.{name}", "inside")


def _begin() -> None:
    g.espace_started = time.perf_counter()
    telemetry.set_cause(request.headers.get("X-Request-Id"), request.headers.get("traceparent"))
    if not _is_probe():
        route = request.url_rule.rule if request.url_rule else None
        g.espace_span = tracing.serving(request.method, route).activate()


def _finish(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    matching.stamp(response)
    response.headers["X-Request-Id"] = telemetry.request_id() or ""
    seconds = time.perf_counter() - g.get("espace_started", time.perf_counter())
    route = request.url_rule.rule if request.url_rule else "unmatched"
    method = request.method if request.method in _METHODS else "other"
    metrics.HTTP_DURATION.labels(method, route, f"{response.status_code // 100}xx").observe(seconds)
    if not _is_probe():
        log.info(
            "http.request",
            method=method,
            route=route,
            status=response.status_code,
            duration_ms=round(seconds * 1000, 1),
        )
        g.espace_span.answered(response.status_code)
        g.espace_span.end()
    return response


def _is_probe() -> bool:
    return (request.endpoint or "").partition(".")[0] == "probes"


_WORK = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_METHODS = _WORK | {"HEAD", "OPTIONS"}
