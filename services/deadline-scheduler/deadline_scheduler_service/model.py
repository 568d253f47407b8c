"""Deadlines of any kind: when they are kept, moved and withdrawn. The scheduler knows no procedure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5


class DeadlineState(StrEnum):
    """``kept`` → ``fired``; ``kept`` → ``withdrawn``; a higher version makes any of them ``kept`` again."""

    KEPT = "kept"
    FIRED = "fired"
    WITHDRAWN = "withdrawn"


class ReminderState(StrEnum):
    """``waiting`` → ``published``, or ``skipped`` with a reason: no reminder falls in a hole."""

    WAITING = "waiting"
    PUBLISHED = "published"
    SKIPPED = "skipped"


class SkipReason(StrEnum):
    """Why a reminder was not published."""

    EXPIRED = "expired"
    SUPERSEDED = "superseded"
    MOVED = "moved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Reminder:
    """A wish to be told ``days_before`` the deadline, at ``remind_at`` (aware)."""

    days_before: int
    remind_at: datetime


@dataclass(frozen=True)
class Known:
    """What is known of a deadline when an event about it arrives; version 0 knows nothing yet."""

    version: int
    state: DeadlineState


def accepts_setting(known: Known, version: int) -> bool:
    """Whether a setting counts: only a newer one does. A withdrawal of the same version has won."""
    return version > known.version


def accepts_withdrawal(known: Known, version: int) -> bool:
    """Whether a withdrawal counts: of the present version or a newer one, even before its setting came."""
    same = version == known.version and known.state is not DeadlineState.WITHDRAWN
    return version > known.version or same


def expired_event_id(deadline_id: UUID, version: int) -> UUID:
    """The id of the expiry's event: firing twice would publish the same event twice."""
    return uuid5(deadline_id, f"expired:{version}")


def reminder_event_id(deadline_id: UUID, version: int, days_before: int) -> UUID:
    """The id of a reminder's event."""
    return uuid5(deadline_id, f"reminder:{version}:{days_before}")
