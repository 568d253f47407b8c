"""Which event calls which command, and what the scheduler publishes."""

from datetime import datetime
from typing import Final
from uuid import UUID

from deadline_scheduler_service.commands import keep_deadline, withdraw_deadline
from deadline_scheduler_service.model import Reminder
from espace.bus import Incoming
from espace.db import UnitOfWork
from espace.errors import PermanentError

EXPIRED: Final = "be.espace.deadline.expired.v1"
REMINDER_DUE: Final = "be.espace.deadline.reminder_due.v1"


def on_deadline_set(unit: UnitOfWork, incoming: Incoming) -> None:
    """Keep or move."""
    try:
        data = incoming.data
        wishes = [
            Reminder(int(wish["days_before"]), _instant(wish["remind_at"])) for wish in data["reminders"]
        ]
        deadline_id, kind, due_at = UUID(data["deadline_id"]), str(data["kind"]), _instant(data["due_at"])
    except (KeyError, TypeError, ValueError) as error:
        raise PermanentError(f"not a deadline_set: {error!r}") from error
    keep_deadline(
        unit,
        deadline_id=deadline_id,
        version=incoming.version,
        owner=_owner(incoming),
        kind=kind,
        due_at=due_at,
        wishes=wishes,
    )


def on_deadline_withdrawn(unit: UnitOfWork, incoming: Incoming) -> None:
    """Withdraw, also what is not known yet."""
    try:
        deadline_id, reason = UUID(incoming.data["deadline_id"]), str(incoming.data["reason"])
    except (KeyError, TypeError, ValueError) as error:
        raise PermanentError(f"not a deadline_withdrawn: {error!r}") from error
    withdraw_deadline(
        unit, deadline_id=deadline_id, version=incoming.version, owner=_owner(incoming), reason=reason
    )


HANDLERS: Final = {
    "be.espace.dossier.deadline_set.v1": on_deadline_set,
    "be.espace.dossier.deadline_withdrawn.v1": on_deadline_withdrawn,
}


def _owner(incoming: Incoming) -> str:
    return incoming.source.removeprefix("/espace/")


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return instant
