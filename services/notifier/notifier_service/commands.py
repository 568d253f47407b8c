"""What happens to messages; each function is one transaction's worth."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from random import random
from typing import Any
from uuid import UUID

from sqlalchemy import Interval, bindparam, func, literal, select, true, update
from sqlalchemy.dialects.postgresql import insert

from espace.db import UnitOfWork
from espace.telemetry import traceparent
from notifier_service.model import (
    CHANNEL,
    CURRENT_VERSION,
    PENDING,
    Claimed,
    Outcome,
    State,
    Template,
    notification_id,
    pause_after,
)
from notifier_service.tables import Attempt, Notification

_now = func.clock_timestamp()

# Made once: a worker asks twice a second, mostly for nothing.
_CLAIM = (
    update(Notification)
    .where(
        Notification.id
        == select(Notification.id)
        .where(Notification.state.in_(PENDING), Notification.due_at <= _now)
        .order_by(Notification.due_at)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    .values(
        state=State.SENDING,
        attempts=Notification.attempts + 1,
        due_at=_now + bindparam("lease", type_=Interval),
    )
    .returning(Notification)
    .execution_options(synchronize_session=False)
)


def request_notification(
    unit: UnitOfWork,
    template: Template,
    *,
    event_id: UUID,
    recipient_id: UUID,
    since: datetime,
    facts: Mapping[str, Any],
    dossier_id: UUID | None = None,
    request_id: str | None = None,
) -> UUID:
    """Ask for a message about what happened at ``since``; asking again for the same changes nothing."""
    message_id = notification_id(event_id, template, recipient_id)
    unit.session.execute(
        insert(Notification)
        .values(
            id=message_id,
            channel=CHANNEL,
            template=template,
            template_version=CURRENT_VERSION[template],
            recipient_id=recipient_id,
            event_id=event_id,
            dossier_id=dossier_id,
            facts=dict(facts),
            created_at=since,
            request_id=request_id,
            traceparent=traceparent(),
        )
        .on_conflict_do_nothing(index_elements=[Notification.id])
    )
    return message_id


def claim_due(unit: UnitOfWork, lease: timedelta) -> Claimed | None:
    """Take the message that has waited longest, for the length of ``lease``.

    A message whose lease ended (its worker was killed) is due again.
    """
    row: Notification | None = unit.session.execute(_CLAIM, {"lease": lease}).scalar_one_or_none()
    if row is None:
        return None
    unit.session.add(Attempt(notification_id=row.id, number=row.attempts))
    return Claimed(
        id=row.id,
        template=Template(row.template),
        template_version=row.template_version,
        recipient_id=row.recipient_id,
        facts=dict(row.facts),
        since=row.created_at,
        attempt=row.attempts,
        request_id=row.request_id,
        traceparent=row.traceparent,
    )


def conclude(unit: UnitOfWork, message: Claimed, outcome: Outcome, *, retry_scale: float) -> bool:
    """Write down how the attempt ended.

    Returns:
        False when another worker has taken the message over meanwhile, and nothing was changed.
    """
    pause = literal(pause_after(message.attempt, retry_scale, random()))  # noqa: S311  no secret
    known = unit.session.execute(
        update(Notification)
        .where(
            Notification.id == message.id,
            Notification.state == State.SENDING,
            Notification.attempts == message.attempt,
        )
        .values(
            state=outcome.state,
            reason=outcome.reason,
            language=func.coalesce(outcome.language, Notification.language),
            body_sha256=func.coalesce(outcome.body_sha256, Notification.body_sha256),
            due_at=_now + pause if outcome.state is State.TEMPORARY else Notification.due_at,
            sent_at=_now if outcome.state is State.SENT else None,
        )
        .returning(Notification.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if known is None:
        return False
    unit.session.execute(
        update(Attempt)
        .where(Attempt.notification_id == message.id, Attempt.number == message.attempt)
        .values(ended_at=_now, outcome=outcome.state.value, reason=outcome.reason)
        .execution_options(synchronize_session=False)
    )
    return True


def requeue(unit: UnitOfWork, ids: Collection[UUID]) -> list[Notification]:
    """Have messages that failed or wait for their next attempt (all, or those named) tried again at once.

    They stay the messages they are: the same id, and so the same Message-ID; attempts are counted on.
    """
    wanted = Notification.state.in_((State.FAILED, State.TEMPORARY))
    rows = unit.session.scalars(
        update(Notification)
        .where(wanted, Notification.id.in_(ids) if ids else true())
        .values(state=State.TEMPORARY, due_at=_now)
        .returning(Notification)
        .execution_options(synchronize_session=False)
    )
    return list(rows)
