"""Reads."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notifier_service.model import PENDING, State
from notifier_service.tables import Attempt, Notification


def notifications_of(session: Session, recipient_id: UUID, dossier_id: UUID | None) -> list[Notification]:
    """A citizen's messages (about one dossier), the oldest first."""
    wanted = select(Notification).where(Notification.recipient_id == recipient_id)
    if dossier_id is not None:
        wanted = wanted.where(Notification.dossier_id == dossier_id)
    return list(session.scalars(wanted.order_by(Notification.created_at, Notification.id)))


def unsent(session: Session) -> list[Notification]:
    """What failed or still has to be sent, the oldest first."""
    wanted = select(Notification).where(Notification.state.in_((*PENDING, State.FAILED)))
    return list(session.scalars(wanted.order_by(Notification.created_at, Notification.id)))


def notifications(session: Session, ids: Collection[UUID]) -> list[tuple[Notification, list[Attempt]]]:
    """The messages named, each with its attempts in their order."""
    found = session.scalars(
        select(Notification).where(Notification.id.in_(ids)).order_by(Notification.created_at)
    )
    attempts = select(Attempt).order_by(Attempt.number)
    return [
        (row, list(session.scalars(attempts.where(Attempt.notification_id == row.id)))) for row in found.all()
    ]


def oldest_pending_seconds(session: Session) -> float:
    """The age of the oldest message that still has to be sent; 0 when there is none."""
    age = func.extract("epoch", func.clock_timestamp() - func.min(Notification.created_at))
    found = session.scalar(select(age).where(Notification.state.in_(PENDING)))
    return max(0.0, float(found)) if found is not None else 0.0
