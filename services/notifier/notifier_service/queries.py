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


def pending(session: Session) -> list[tuple[str, str, int, float]]:
    """What still has to be sent, by template and state: how many, and the age of the oldest in seconds."""
    age = func.extract("epoch", func.clock_timestamp() - func.min(Notification.created_at))
    columns = (Notification.template, Notification.state, func.count(), age)
    rows = session.execute(
        select(*columns)
        .where(Notification.state.in_(PENDING))
        .group_by(Notification.template, Notification.state)
    )
    return [(template, state, count, max(0.0, float(oldest))) for template, state, count, oldest in rows]
