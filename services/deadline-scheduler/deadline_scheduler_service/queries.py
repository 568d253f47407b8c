"""Reads."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from deadline_scheduler_service.tables import deadlines, reminders


def deadline(session: Session, deadline_id: UUID) -> dict[str, Any] | None:
    """A deadline with all its reminders, those of older versions too; None if it is not known."""
    row = session.execute(select(deadlines).where(deadlines.c.id == deadline_id)).mappings().first()
    if row is None:
        return None
    asked = (
        select(reminders)
        .where(reminders.c.deadline_id == deadline_id)
        .order_by(reminders.c.version, reminders.c.remind_at)
    )
    return {
        "deadline_id": row["id"],
        **{name: row[name] for name in ("version", "owner", "state", "kind", "due_at", "reason", "fired_at")},
        "reminders": [
            {
                name: each[name]
                for name in ("version", "days_before", "remind_at", "state", "reason", "handled_at")
            }
            for each in session.execute(asked).mappings()
        ],
    }
