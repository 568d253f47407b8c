"""Exceptions to answers: the one mapping."""

from typing import Any

from flask import Response, current_app, json, request
from sqlalchemy.exc import DataError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from espace import telemetry
from espace.db import is_unavailable
from espace.errors import TransientError
from espace.http.problems import Problem, flatten, pointer

log = telemetry.get_logger()
CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2
HTTP_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "validation_failed",
}
_DETAILS = {
    404: "There is nothing at this address, or it is not yours.",
    405: "This address does not take this method; see the Allow header.",
    413: "The body is larger than this address takes.",
    415: "Send the body as application/json.",
}


def answer(problem: Problem) -> Response:
    """The response of a problem."""
    data = problem.as_dict()
    data["instance"] = f"urn:espace:request:{telemetry.request_id()}"
    response = current_app.response_class(json.dumps(data), status=problem.status, content_type=CONTENT_TYPE)
    response.headers.update(problem.headers)
    return response


def to_problem(error: Exception) -> Problem:
    """What the caller is told about ``error``; never what went on inside."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        return _from_http(error)
    if isinstance(error, DataError):
        return Problem(422, "value_out_of_range", "A value has a character or a size that cannot be stored.")
    if isinstance(error, (TransientError, OperationalError, PoolTimeout)) or is_unavailable(error):
        reason = type(error.orig if isinstance(error, OperationalError) else error).__name__
        log.warning("http.unavailable", reason=reason, route=_route())
        return Problem(
            503,
            "temporarily_unavailable",
            "Try again in a moment, with the same Idempotency-Key.",
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )
    log.error("http.failed", exc_info=error, route=_route(), statement=_statement(error))
    return Problem(500, "internal_error", "This is our fault. Give this request's id when you report it.")


def handle(error: Exception) -> Response:
    """Flask's handler of every exception."""
    return answer(to_problem(error))


def _from_http(error: HTTPException) -> Problem:
    status = error.code or 500
    if error.response is not None or status < 400:
        return Problem(500, "internal_error", "This is our fault.")
    headers = {
        name: value
        for name, value in error.get_headers()
        if name.lower() not in ("content-type", "content-length")
    }
    code, detail = HTTP_CODES.get(status, "http_error"), _DETAILS.get(status, error.description or "")
    data: dict[str, Any] = getattr(error, "data", None) or {}
    if "messages" not in data:
        return Problem(status, code, detail, headers=headers)
    if status == 400:
        return Problem(400, "malformed_json", "The body is not valid JSON.", headers=headers)
    errors: dict[str, list[str]] = {}
    violations = []
    for location, messages in data["messages"].items():
        for path, message in flatten(messages):
            errors.setdefault(".".join(path) or "_schema", []).append(message)
            violations.append({"in": location, "pointer": pointer(path), "detail": message})
    return Problem(
        status,
        code,
        "Some fields are missing, unknown or malformed; see errors.",
        errors=errors,
        headers=headers,
        violations=violations,
    )


def _route() -> str:
    return request.url_rule.rule if request.url_rule else "unmatched"


def _statement(error: Exception) -> str | None:
    statement = getattr(error, "statement", None)
    return statement if isinstance(error, SQLAlchemyError) and isinstance(statement, str) else None
