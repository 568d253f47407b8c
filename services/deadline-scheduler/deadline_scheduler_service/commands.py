"""Keeping and withdrawing deadlines."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from deadline_scheduler_service.model import (
    DeadlineState,
    Known,
    Reminder,
    ReminderState,
    SkipReason,
    accepts_setting,
    accepts_withdrawal,
    expired_event_id,
    reminder_event_id,
)
from deadline_scheduler_service.tables import deadlines, reminders
from espace.db import UnitOfWork
from espace.telemetry import get_logger, request_id, traceparent

log = get_logger()

# Made once: building and keying them took longer than running them. Their parameters are named ``_…``, since
# an update's columns have names too.
_MAKE = (
    insert_or(deadlines)
    .values(
        id=bindparam("id", type_=Uuid()),
        version=0,
        owner=bindparam("owner", type_=Text()),
        state=DeadlineState.WITHDRAWN,
    )
    .on_conflict_do_nothing()
)
_HOLD = (
    select(deadlines.c.version, deadlines.c.state).where(deadlines.c.id == bindparam("_id")).with_for_update()
)
_KEEP = (
    update(deadlines)
    .where(deadlines.c.id == bindparam("_id"))
    .values(
        state=DeadlineState.KEPT,
        reason=None,
        fired_at=None,
        changed_at=func.clock_timestamp(),
        **{
            name: bindparam(f"_{name}", type_=deadlines.c[name].type)
            for name in ("version", "kind", "due_at", "event_id", "request_id", "traceparent")
        },
    )
)
_SKIP = (
    update(reminders)
    .where(reminders.c.deadline_id == bindparam("_id"), reminders.c.state == ReminderState.WAITING)
    .values(state=ReminderState.SKIPPED, reason=bindparam("_reason", type_=Text()))
)


def keep_deadline(
    unit: UnitOfWork,
    *,
    deadline_id: UUID,
    version: int,
    owner: str,
    kind: str,
    due_at: datetime,
    wishes: Sequence[Reminder],
) -> bool:
    """Keep a deadline, or move it when the version is newer; whether anything changed."""
    if not accepts_setting(_lock(unit, deadline_id, owner), version):
        return False
    unit.session.connection().execute(
        _KEEP,
        {
            "_id": deadline_id,
            "_version": version,
            "_kind": kind,
            "_due_at": due_at,
            "_event_id": expired_event_id(deadline_id, version),
            "_request_id": request_id(),
            "_traceparent": traceparent(),
        },
    )
    _skip_reminders(unit, deadline_id, SkipReason.MOVED)
    if wishes:
        unit.session.execute(
            insert(reminders),
            [
                {
                    "deadline_id": deadline_id,
                    "version": version,
                    "days_before": wish.days_before,
                    "remind_at": wish.remind_at,
                    "event_id": reminder_event_id(deadline_id, version, wish.days_before),
                }
                for wish in wishes
            ],
        )
    log.info("deadline.kept", deadline_id=str(deadline_id), version=version)
    return True


def withdraw_deadline(unit: UnitOfWork, *, deadline_id: UUID, version: int, owner: str, reason: str) -> bool:
    """Withdraw a deadline, known or not yet; whether anything changed. What has fired stays fired."""
    known = _lock(unit, deadline_id, owner)
    if not accepts_withdrawal(known, version):
        return False
    values: dict[str, object] = {"version": version, "reason": reason, "changed_at": func.clock_timestamp()}
    if known.state is DeadlineState.KEPT:
        values["state"] = DeadlineState.WITHDRAWN
    unit.session.execute(update(deadlines).where(deadlines.c.id == deadline_id).values(values))
    _skip_reminders(unit, deadline_id, SkipReason.WITHDRAWN)
    log.info("deadline.withdrawn", deadline_id=str(deadline_id), version=version)
    return True


def _lock(unit: UnitOfWork, deadline_id: UUID, owner: str) -> Known:
    """Hold the deadline's row until the transaction ends; it is made when it is not there."""
    connection = unit.session.connection()
    connection.execute(_MAKE, {"id": deadline_id, "owner": owner})
    row = connection.execute(_HOLD, {"_id": deadline_id}).one()
    return Known(row.version, DeadlineState(row.state))


def _skip_reminders(unit: UnitOfWork, deadline_id: UUID, reason: SkipReason) -> None:
    unit.session.connection().execute(_SKIP, {"_id": deadline_id, "_reason": reason})
