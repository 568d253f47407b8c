"""``Idempotency-Key``: an unsafe request sent twice has one effect and one answer."""

import functools
import hashlib
import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, TypeVar, overload

from flask import Response, g, request
from flask import make_response as to_response
from sqlalchemy import Row, insert, text

from espace.db import UnitOfWork
from espace.db.tables import idempotency_keys
from espace.http.access import idempotency_scope
from espace.http.matching import stamp
from espace.http.problems import Problem
from espace.http.transactions import database
from espace.telemetry import get_logger

log = get_logger()
View = TypeVar("View", bound=Callable[..., Any])
OnArrival = Callable[[str, str], None]
KEY = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
KEPT_HEADERS = ("Content-Type", "Location", "ETag")
_PARAMETER = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "description": "Made by the client, one for each intention; the same key repeats the first answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_CLAIM = text(
    "SELECT pg_try_advisory_xact_lock(:lock) AS taken, body_hash, status, headers, body "
    "FROM (SELECT) AS one LEFT JOIN idempotency_keys "
    "ON principal = :principal AND key = :key AND route = :route"
)
_STORED = text(
    "SELECT body_hash, status, headers, body FROM idempotency_keys "
    "WHERE principal = :principal AND key = :key AND route = :route"
)
_KEEP = insert(idempotency_keys)


class _Refused(Exception):
    """Carries an error response out of the transaction, which has to roll back."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


@overload
def idempotent(view: View) -> View: ...
@overload
def idempotent(*, on_arrival: OnArrival) -> Callable[[View], View]: ...
def idempotent(view: View | None = None, *, on_arrival: OnArrival | None = None) -> Any:
    """Make a route idempotent; the outermost decorator, right below ``@blueprint.route``.

    The view runs in one transaction (``transaction()`` joins it) with the stored answer: status, headers
    and body. A repeat with the same key, by the same principal, to the same address and with the same body
    gets that answer; an error is not stored and has no effect.

    Args:
        on_arrival: called first, before the transaction, with the key and the body's SHA-256 in hex.

    Raises:
        Problem: 400 ``idempotency_key_missing`` or ``idempotency_key_invalid``, 409
            ``request_in_progress``, 422 ``idempotency_key_reused``.
    """
    if view is None:
        return functools.partial(_decorate, on_arrival=on_arrival)
    return _decorate(view, on_arrival=on_arrival)


def _decorate(view: View, *, on_arrival: OnArrival | None) -> View:
    @functools.wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Response:
        key = _key()
        body_hash = hashlib.sha256(request.get_data())
        if on_arrival:
            on_arrival(key, body_hash.hexdigest())
        return _once(lambda: to_response(view(*args, **kwargs)), key, body_hash.digest())

    wrapper._apidoc = deepcopy(getattr(view, "_apidoc", {}))  # type: ignore[attr-defined]
    wrapper._apidoc.setdefault("arguments", {}).setdefault("parameters", []).append(_PARAMETER)  # type: ignore[attr-defined]
    return wrapper  # type: ignore[return-value]


def _key() -> str:
    key = request.headers.get("Idempotency-Key")
    if not key:
        raise Problem(400, "idempotency_key_missing", "Send an Idempotency-Key, e.g. a random UUID.")
    if not KEY.fullmatch(key):
        raise Problem(400, "idempotency_key_invalid", "Use 1 to 255 visible ASCII characters.")
    return key


def _once(view: Callable[[], Response], key: str, body_hash: bytes) -> Response:
    identity = {
        "principal": idempotency_scope(),
        "key": key,
        "route": f"{request.method} {request.path}",
    }
    try:
        return _first(view, identity, body_hash)
    except Exception as refusal:
        # The claim's snapshot may be older than its lock. Then another request with this key committed in
        # between, and what the view refuses is that one's own effect: look again.
        with database().session() as session:
            stored = session.execute(_STORED, identity).one_or_none()
        if stored is not None:
            return _replay(stored, body_hash)
        if isinstance(refusal, _Refused):
            return refusal.response
        raise


def _first(view: Callable[[], Response], identity: Mapping[str, str], body_hash: bytes) -> Response:
    with database().transaction() as unit:
        stored = _claim(unit, identity)
        if stored is not None:
            return _replay(stored, body_hash)
        g.espace_unit = unit
        try:
            response = view()
        finally:
            g.pop("espace_unit", None)
        if response.status_code >= 400:
            raise _Refused(response)
        stamp(response)
        _keep(unit, identity, body_hash, response)
    return response


def _claim(unit: UnitOfWork, identity: Mapping[str, str]) -> Row[Any] | None:
    """Take the key for this transaction; the stored answer if there is one. One round trip."""
    name = hashlib.sha256("\0".join(identity.values()).encode()).digest()
    found = (
        unit.session.connection()
        .execute(_CLAIM, {**identity, "lock": int.from_bytes(name[:8], signed=True)})
        .one()
    )
    if found.status is not None:
        return found
    if not found.taken:
        raise _in_progress()
    return None


def _keep(unit: UnitOfWork, identity: Mapping[str, str], body_hash: bytes, response: Response) -> None:
    values = {
        **identity,
        "body_hash": body_hash,
        "status": response.status_code,
        "headers": {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers},
        "body": response.get_data(),
    }
    unit.session.connection().execute(_KEEP, values)


def _in_progress() -> Problem:
    return Problem(
        409,
        "request_in_progress",
        "The same request is being worked on: repeat it with the same key in a moment.",
        headers={"Retry-After": "1"},
    )


def _replay(stored: Row[Any], body_hash: bytes) -> Response:
    if bytes(stored.body_hash) != body_hash:
        raise Problem(422, "idempotency_key_reused", "This key was used with another body: make a new one.")
    log.info("idempotency.replayed", status=stored.status)
    g.pop("espace_etag", None)
    response = Response(bytes(stored.body), status=stored.status)
    response.headers.update(stored.headers)
    response.headers["Idempotency-Replayed"] = "true"
    return response
