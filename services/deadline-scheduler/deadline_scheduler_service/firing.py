"""Firing what is due: claimed, marked and written to the outbox in one statement each.

``due_at <= now`` is unbounded and by the database's clock: an outage delays, it never skips. Rows that
another process is just firing are passed over, so that two schedulers fire each deadline once. After an
outage nobody is reminded twice at once: of the reminders of a deadline that are due the latest goes out.
"""

from sqlalchemy import text

from deadline_scheduler_service.events import EXPIRED, REMINDER_DUE
from espace import crash
from espace.clock import LegalClock
from espace.db import Database
from espace.telemetry import get_logger
from espace.telemetry.metrics import DEADLINE_LATENESS

log = get_logger()
BATCH = 500

_RFC3339 = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
_DUE_AT, _REMIND_AT = _RFC3339.format("due_at"), _RFC3339.format("remind_at")

_FIRE_DEADLINES = text(f"""
    WITH due AS (
        SELECT id FROM deadlines WHERE state = 'kept' AND due_at <= :now
        ORDER BY due_at LIMIT :batch FOR UPDATE SKIP LOCKED
    ), fired AS (
        UPDATE deadlines d SET state = 'fired', fired_at = :now, changed_at = clock_timestamp()
        FROM due WHERE d.id = due.id
        RETURNING d.id, d.version, d.owner, d.kind, d.due_at, d.event_id, d.request_id, d.traceparent
    ), logged AS (
        INSERT INTO event_log (id, type, subject, version, time, request_id, traceparent, data)
        SELECT event_id, :type, id::text, version, clock_timestamp(), request_id, traceparent,
            jsonb_build_object('deadline_id', id, 'owner', owner, 'kind', kind, 'due_at', {_DUE_AT})
        FROM fired ORDER BY due_at
        RETURNING position
    ), published AS (
        INSERT INTO outbox (position) SELECT position FROM logged
    )
    SELECT extract(epoch FROM :now - due_at)::float AS lateness FROM fired
""")  # noqa: S608  the two inserted fragments are constants of this module

_FIRE_REMINDERS = text(f"""
    WITH due AS (
        SELECT r.deadline_id, r.version, r.days_before,
            d.owner, d.kind, d.due_at, d.request_id, d.traceparent,
            CASE WHEN d.due_at <= :now THEN 'expired' WHEN EXISTS (
                SELECT FROM reminders later
                WHERE (later.deadline_id, later.version) = (r.deadline_id, r.version)
                    AND (later.remind_at, -later.days_before) > (r.remind_at, -r.days_before)
                    AND later.remind_at <= :now
            ) THEN 'superseded' END AS reason
        FROM reminders r JOIN deadlines d ON d.id = r.deadline_id
        WHERE r.state = 'waiting' AND r.remind_at <= :now
        ORDER BY r.remind_at LIMIT :batch FOR UPDATE SKIP LOCKED
    ), handled AS (
        UPDATE reminders r SET
            state = CASE WHEN due.reason IS NULL THEN 'published' ELSE 'skipped' END,
            reason = due.reason,
            handled_at = :now
        FROM due
        WHERE (r.deadline_id, r.version, r.days_before) = (due.deadline_id, due.version, due.days_before)
        RETURNING r.deadline_id, r.version, r.days_before, r.remind_at, r.event_id, r.state,
            due.owner, due.kind, due.due_at, due.request_id, due.traceparent
    ), logged AS (
        INSERT INTO event_log (id, type, subject, version, time, request_id, traceparent, data)
        SELECT event_id, :type, deadline_id::text, version, clock_timestamp(), request_id, traceparent,
            jsonb_build_object(
            'deadline_id', deadline_id, 'owner', owner, 'kind', kind, 'days_before', days_before,
            'remind_at', {_REMIND_AT}, 'due_at', {_DUE_AT})
        FROM handled WHERE state = 'published' ORDER BY remind_at
        RETURNING position
    ), published AS (
        INSERT INTO outbox (position) SELECT position FROM logged
    )
    SELECT state FROM handled
""")  # noqa: S608


def fire_due(database: Database, clock: LegalClock, *, batch: int = BATCH) -> bool:
    """Fire one batch of reminders and one of deadlines; whether there may be more."""
    with database.transaction() as unit:
        now = clock.now(unit.session)
        handled = unit.session.execute(
            _FIRE_REMINDERS, {"now": now, "batch": batch, "type": REMINDER_DUE}
        ).all()
        fired = unit.session.execute(_FIRE_DEADLINES, {"now": now, "batch": batch, "type": EXPIRED}).all()
        if handled or fired:
            crash.point("scheduler.while_firing")
    for (lateness,) in fired:
        DEADLINE_LATENESS.observe(lateness)
    if handled or fired:
        log.info("deadline.fired", count=len(fired), reminders=len(handled))
    return len(handled) == batch or len(fired) == batch
