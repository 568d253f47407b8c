"""The scheduler's tables. Deadlines are rows; timers only wake."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
    text,
)

metadata = MetaData()

deadlines = Table(
    "deadlines",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("kind", Text),
    Column("due_at", DateTime(timezone=True)),
    Column("event_id", Uuid, comment="of the expiry, by model.expired_event_id"),
    Column("reason", Text, comment="of the withdrawal"),
    Column("fired_at", DateTime(timezone=True), comment="legal time"),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("request_id", Text),
    Column("traceparent", Text),
    CheckConstraint("state IN ('kept', 'fired', 'withdrawn')", name="ck_deadlines_state"),
    CheckConstraint(
        "state = 'withdrawn' OR (kind IS NOT NULL AND due_at IS NOT NULL AND event_id IS NOT NULL)",
        name="ck_deadlines_tombstone",
    ),
    Index("ix_deadlines_due", "due_at", postgresql_where=text("state = 'kept'")),
)
"""One row per deadline; a withdrawal that came before its setting leaves a row without an instant.

``request_id`` and ``traceparent`` are of the event that set it, and go on with what it fires."""

reminders = Table(
    "reminders",
    metadata,
    Column("deadline_id", Uuid, ForeignKey("deadlines.id"), primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("days_before", Integer, primary_key=True),
    Column("remind_at", DateTime(timezone=True), nullable=False),
    Column("event_id", Uuid, nullable=False, comment="by model.reminder_event_id"),
    Column("state", Text, nullable=False, server_default="waiting"),
    Column("reason", Text, comment="why it was skipped"),
    Column("handled_at", DateTime(timezone=True), comment="legal time"),
    CheckConstraint("state IN ('waiting', 'published', 'skipped')", name="ck_reminders_state"),
    CheckConstraint("(state = 'skipped') = (reason IS NOT NULL)", name="ck_reminders_reason"),
    Index("ix_reminders_waiting", "remind_at", postgresql_where=text("state = 'waiting'")),
)
"""One row per reminder and version of its deadline; each ends as published or skipped with a reason."""
