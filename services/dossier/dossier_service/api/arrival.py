"""The receipt stamp of a request: its first statement, before the transaction of its work."""

from datetime import datetime
from uuid import UUID

from flask import request
from sqlalchemy.orm import Session

from dossier_service.api.context import counter
from dossier_service.api.refusals import refusals
from dossier_service.claims import attempts
from espace.http import database, principal


def stamp_dossier(key: str, body_sha256: str) -> None:
    """Stamp the arrival of a deposit."""
    _stamp(key, body_sha256, _argument("dossier_id"))


def stamp_request(key: str, body_sha256: str) -> None:
    """Stamp the arrival of an answer."""
    _stamp(key, body_sha256, _argument("request_id"))


def arrived_at(session: Session, target_id: UUID) -> datetime:
    """When the request in hand arrived, or the first try with its key."""
    return attempts.received_at(session, principal().citizen, _key(), target_id)


def settle(session: Session, target_id: UUID) -> None:
    """Note that the request in hand takes effect."""
    attempts.settle(session, principal().citizen, _key(), target_id)


def _stamp(key: str, body_sha256: str, target_id: UUID) -> None:
    with refusals():
        attempts.stamp(
            database(),
            counter().clock,
            citizen_id=principal().citizen,
            key=key,
            target_id=target_id,
            body_sha256=body_sha256,
        )


def _argument(name: str) -> UUID:
    arguments = request.view_args or {}
    found: UUID = arguments[name]
    return found


def _key() -> str:
    return request.headers["Idempotency-Key"]
