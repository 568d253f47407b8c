"""Liveness, readiness and metrics, for inside only; and one log line and one measure for each request."""

import time

from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from espace.db import MigrateFirst, Revision
from espace.telemetry import get_logger
from espace.telemetry.metrics import HTTP_DURATION, expect_failures
from espace_web.context import View, house

log = get_logger()
REVISION = "espace_web.revision"
WORK = frozenset({"GET", "POST"})
METHODS = WORK | {"HEAD", "OPTIONS"}
probes = Blueprint("probes", __name__)


def technical(view: View) -> View:
    """Mark a route that no citizen calls: no session, no language."""
    view.technical = True  # type: ignore[attr-defined]
    return view


def install(app: Flask) -> None:
    """Add the routes and the measurement."""
    app.register_blueprint(probes)
    app.extensions[REVISION] = Revision(app.extensions["espace_web"].database, "espace_web")

    @app.before_request
    def start() -> None:
        g.setdefault("started", time.perf_counter())

    @app.after_request
    def finish(response: Response) -> Response:
        seconds = time.perf_counter() - g.get("started", time.perf_counter())
        route = request.url_rule.rule if request.url_rule else "unmatched"
        method = request.method if request.method in METHODS else "other"
        HTTP_DURATION.labels(method, route, f"{response.status_code // 100}xx").observe(seconds)
        if request.blueprint != "probes" and request.endpoint != "static":
            log.info(
                "http.request",
                method=method,
                route=route,
                status=response.status_code,
                duration_ms=round(seconds * 1000, 1),
            )
        if span := g.get("span"):
            span.answered(response.status_code)
            span.end()
        return response


def announce(app: Flask) -> None:
    """When all routes are there: have the metrics show the pool and every route's failures, none so far."""
    app.extensions["espace_web"].database.report_pool()
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) & WORK:
            expect_failures(method, rule.rule)


@probes.get("/livez", strict_slashes=True)
@technical
def live() -> Response:
    """The process answers."""
    return jsonify(status="alive")


@probes.get("/readyz", strict_slashes=True)
@technical
def ready() -> tuple[Response, int] | Response:
    """The process can serve: its database answers, and has the tables it needs."""
    try:
        house().database.ping()
        current_app.extensions[REVISION].check()
    except MigrateFirst as error:
        return jsonify(status="not ready", reason=str(error)), 503
    except SQLAlchemyError as error:
        return jsonify(status="not ready", reason=type(error).__name__), 503
    return jsonify(status="ready")


@probes.get("/metrics", strict_slashes=True)
@technical
def metrics() -> Response:
    """Prometheus metrics."""
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
