"""Keeping and withdrawing deadlines."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update
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
    unit.session.execute(
        update(deadlines)
        .where(deadlines.c.id == deadline_id)
        .values(
            version=version,
            state=DeadlineState.KEPT,
            kind=kind,
            due_at=due_at,
            event_id=expired_event_id(deadline_id, version),
            reason=None,
            fired_at=None,
            changed_at=func.clock_timestamp(),
            request_id=request_id(),
            traceparent=traceparent(),
        )
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
    unit.session.execute(
        insert_or(deadlines)
        .values(id=deadline_id, version=0, owner=owner, state=DeadlineState.WITHDRAWN)
        .on_conflict_do_nothing()
    )
    row = unit.session.execute(
        select(deadlines.c.version, deadlines.c.state).where(deadlines.c.id == deadline_id).with_for_update()
    ).one()
    return Known(row.version, DeadlineState(row.state))


def _skip_reminders(unit: UnitOfWork, deadline_id: UUID, reason: SkipReason) -> None:
    unit.session.execute(
        update(reminders)
        .where(reminders.c.deadline_id == deadline_id, reminders.c.state == ReminderState.WAITING)
        .values(state=ReminderState.SKIPPED, reason=reason)
    )
