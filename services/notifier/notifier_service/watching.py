"""What is shown of messages; apart from sending, so that it tells when that fails."""

from sqlalchemy.orm import Session

from espace.telemetry.metrics import (
    NOTIFICATION_DELAY,
    NOTIFICATION_OLDEST_PENDING,
    NOTIFICATIONS,
    NOTIFICATIONS_PENDING,
)
from notifier_service.model import CHANNEL, PENDING, State, Template
from notifier_service.queries import pending


def announce() -> None:
    """Have the counts exist at zero, so that the first of a kind is seen as a change."""
    for template in Template:
        NOTIFICATION_DELAY.labels(template)
        for state in (State.SENT, State.TEMPORARY, State.FAILED, State.NOT_SENT):
            NOTIFICATIONS.labels(CHANNEL, template, state)


def report_pending(session: Session) -> None:
    """Tell what waits, and how long ago the oldest fact was that a citizen has not been told."""
    rows = pending(session)
    counts = {(template, state): count for template, state, count, _ in rows}
    for template in Template:
        ages = [age for found, _, _, age in rows if found == template]
        NOTIFICATION_OLDEST_PENDING.labels(template).set(max(ages, default=0.0))
        for state in PENDING:
            NOTIFICATIONS_PENDING.labels(template, state).set(counts.get((template, state), 0))
