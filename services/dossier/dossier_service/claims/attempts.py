"""The receipt instant: stamped when a request arrives, before any work, and kept for its retries."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Interval,
    Select,
    Text,
    Uuid,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dossier_service.claims.store import NotFound
from dossier_service.tables import (
    dossiers,
    information_request_pieces,
    information_requests,
    receipt_attempts,
)
from espace.clock import LegalClock
from espace.db import Database
from espace.db.housekeeping import ANSWER_LIFE_DAYS, BATCH

HOLD_SECONDS = 60
Since = Select[tuple[datetime | None]]
"""Selects since when the content of a target is as it is; no row when it is not the citizen's."""


class KeyReused(Exception):
    """The key was stamped for another content."""


def dossier_since(citizen_id: UUID, dossier_id: UUID) -> Since:
    """As :attr:`Dossier.content_since` says."""
    table = dossiers.c
    return select(func.greatest(table.saved_at, table.validated_at)).where(
        table.id == dossier_id, table.citizen_id == citizen_id
    )


def request_since(citizen_id: UUID, dossier_id: UUID, request_id: UUID) -> Since:
    """As :attr:`InformationRequest.content_since` says."""
    table = information_requests
    return (
        select(func.max(information_request_pieces.c.added_at))
        .select_from(table.join(dossiers).outerjoin(information_request_pieces))
        .where(table.c.id == request_id, dossiers.c.id == dossier_id, dossiers.c.citizen_id == citizen_id)
        .group_by(table.c.id)
    )


def stamp(
    database: Database,
    clock: LegalClock,
    *,
    citizen_id: UUID,
    key: str,
    target_id: UUID,
    body_sha256: str,
    since: Since,
) -> datetime:
    """When a deposit or an answer arrived, noted by one statement, the first of all, and committed alone.

    A retry with the same key and body keeps the first instant, whatever failed in between. A stamp counts for
    content that was there: what changed after it makes the retry a new arrival.

    Raises:
        NotFound: the target is not the citizen's.
        KeyReused: the key was stamped for another body.
    """
    table = receipt_attempts.c
    content = since.subquery()
    arriving = select(
        literal(citizen_id, Uuid),
        literal(key, Text),
        literal(target_id, Uuid),
        literal(body_sha256, Text),
        clock.sql_now(),
    ).select_from(content)
    statement = insert(receipt_attempts).from_select(
        ["citizen_id", "key", "target_id", "body_sha256", "received_at"], arriving
    )
    again = statement.excluded
    outdated = and_(table.body_sha256 == again.body_sha256, table.received_at < since.scalar_subquery())
    with database.transaction() as unit:
        found = unit.session.execute(
            statement.on_conflict_do_update(
                index_elements=["citizen_id", "key", "target_id"],
                set_={  # most often what is there already, so that the stored row is returned
                    name: case((outdated, again[name]), else_=table[name])
                    for name in ("received_at", "arrived_at", "settled_at")
                },
            ).returning(table.body_sha256, table.received_at)
        ).one_or_none()
    if found is None:
        raise NotFound
    if found.body_sha256 != body_sha256:
        raise KeyReused
    instant: datetime = found.received_at
    return instant


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


def forget_attempts(database: Database) -> bool:
    """Delete a batch of stamps as old as the answers nobody can ask for again; whether there may be more.

    What took effect keeps its instant in its own row.
    """
    table = receipt_attempts
    names = (table.c.citizen_id, table.c.key, table.c.target_id)
    old = func.clock_timestamp() - literal(timedelta(days=ANSWER_LIFE_DAYS), Interval)
    due = select(*names).where(table.c.arrived_at < old).order_by(table.c.arrived_at).limit(BATCH)
    with database.transaction() as unit:
        deleted: Any = unit.session.execute(
            delete(table).where(tuple_(*names).in_(due.with_for_update(skip_locked=True)))
        )
    return bool(deleted.rowcount == BATCH)
