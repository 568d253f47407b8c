"""The receipt instant: stamped when a request arrives, before any work, and kept for its retries."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dossier_service.tables import receipt_attempts
from espace.clock import LegalClock
from espace.db import Database

HOLD_SECONDS = 60


class KeyReused(Exception):
    """The key was stamped for another content."""


def stamp(
    database: Database, clock: LegalClock, *, citizen_id: UUID, key: str, target_id: UUID, body_sha256: str
) -> None:
    """Note when a deposit or an answer arrived, in a transaction of its own; one statement, the first of all.

    A retry with the same key and body keeps the first instant, whatever failed in between.

    Raises:
        KeyReused: the key was stamped for another body.
    """
    statement = (
        insert(receipt_attempts)
        .values(
            citizen_id=citizen_id,
            key=key,
            target_id=target_id,
            body_sha256=body_sha256,
            received_at=clock.sql_now(),
        )
        .on_conflict_do_update(
            index_elements=["citizen_id", "key", "target_id"],
            set_={"key": receipt_attempts.c.key},  # changes nothing, so that the stored row is returned
        )
        .returning(receipt_attempts.c.body_sha256)
    )
    with database.transaction() as unit:
        stamped = unit.session.execute(statement).scalar_one()
    if stamped != body_sha256:
        raise KeyReused


def received_at(session: Session, citizen_id: UUID, key: str, target_id: UUID) -> datetime:
    """The instant stamped for this request."""
    table = receipt_attempts
    found: datetime = session.execute(
        select(table.c.received_at).where(
            table.c.citizen_id == citizen_id, table.c.key == key, table.c.target_id == target_id
        )
    ).scalar_one()
    return found


def settle(session: Session, citizen_id: UUID, key: str, target_id: UUID) -> None:
    """Note, in the transaction of its effect, that the request took effect."""
    table = receipt_attempts
    session.execute(
        update(table)
        .where(table.c.citizen_id == citizen_id, table.c.key == key, table.c.target_id == target_id)
        .values(settled_at=func.clock_timestamp())
    )


def in_flight(session: Session, target_id: UUID, before: datetime) -> bool:
    """Whether a request stamped before an instant arrived just now and has not taken effect yet."""
    table = receipt_attempts
    age = func.extract("epoch", func.clock_timestamp() - table.c.arrived_at)
    found: bool = session.execute(
        select(
            exists().where(
                table.c.target_id == target_id,
                table.c.received_at < before,
                table.c.settled_at.is_(None),
                age < HOLD_SECONDS,
            )
        )
    ).scalar_one()
    return found
