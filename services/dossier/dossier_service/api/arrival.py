"""The receipt stamp of a request: its first statement, before the transaction of its work."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from flask import Response, after_this_request, g, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from dossier_service.api.context import counter
from dossier_service.api.refusals import refusals
from dossier_service.claims import attempts
from espace.http import database, principal


def stamp_dossier(key: str, body_sha256: str) -> None:
    """Stamp the arrival of a deposit."""
    dossier_id = _argument("dossier_id")
    _stamp(key, body_sha256, dossier_id, attempts.dossier_since(principal().citizen, dossier_id))


def stamp_request(key: str, body_sha256: str) -> None:
    """Stamp the arrival of an answer."""
    dossier_id, request_id = _argument("dossier_id"), _argument("request_id")
    since = attempts.request_since(principal().citizen, dossier_id, request_id)
    _stamp(key, body_sha256, request_id, since)


def arrived_at() -> datetime:
    """When the request in hand arrived, or the first try with its key."""
    instant: datetime = g.dossier_arrived_at
    return instant


def settle(session: Session, target_id: UUID) -> None:
    """Note that the request in hand takes effect."""
    attempts.settle(session, principal().citizen, request.headers["Idempotency-Key"], target_id)


def _settle_when_refused(target_id: UUID) -> None:
    """A request that was refused is not in flight any more; nothing waits for it."""

    @after_this_request
    def look(response: Response) -> Response:
        refused = 400 <= response.status_code < 500
        if refused and (response.get_json() or {}).get("code") != "request_in_progress":
            # Should the database be away now, it counts as in flight for one more minute.
            with suppress(SQLAlchemyError), database().transaction() as unit:
                settle(unit.session, target_id)
        return response


def _stamp(key: str, body_sha256: str, target_id: UUID, since: attempts.Since) -> None:
    with refusals():
        g.dossier_arrived_at = attempts.stamp(
            database(),
            counter().clock,
            citizen_id=principal().citizen,
            key=key,
            target_id=target_id,
            body_sha256=body_sha256,
            since=since,
        )
    _settle_when_refused(target_id)


def _argument(name: str) -> UUID:
    arguments = request.view_args or {}
    found: UUID = arguments[name]
    return found
