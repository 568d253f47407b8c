"""Deadlines and reminders."""

from alembic import op

from espace.db.migrations import create_kit_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_kit_tables(op)
    op.execute(
        """CREATE TABLE deadlines (
            id uuid PRIMARY KEY,
            version bigint NOT NULL,
            owner text NOT NULL,
            state text NOT NULL,
            kind text,
            due_at timestamptz,
            event_id uuid,
            reason text,
            fired_at timestamptz,
            changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            CONSTRAINT ck_deadlines_state CHECK (state IN ('kept', 'fired', 'withdrawn')),
            CONSTRAINT ck_deadlines_tombstone CHECK (
                state = 'withdrawn' OR (kind IS NOT NULL AND due_at IS NOT NULL AND event_id IS NOT NULL)))"""
    )
    op.execute("CREATE INDEX ix_deadlines_due ON deadlines (due_at) WHERE state = 'kept'")
    op.execute("COMMENT ON COLUMN deadlines.event_id IS 'of the expiry, by model.expired_event_id'")
    op.execute("COMMENT ON COLUMN deadlines.reason IS 'of the withdrawal'")
    op.execute("COMMENT ON COLUMN deadlines.fired_at IS 'legal time'")
    op.execute(
        """CREATE TABLE reminders (
            deadline_id uuid NOT NULL REFERENCES deadlines (id),
            version bigint NOT NULL,
            days_before integer NOT NULL,
            remind_at timestamptz NOT NULL,
            event_id uuid NOT NULL,
            state text NOT NULL DEFAULT 'waiting',
            reason text,
            handled_at timestamptz,
            PRIMARY KEY (deadline_id, version, days_before),
            CONSTRAINT ck_reminders_state CHECK (state IN ('waiting', 'published', 'skipped')),
            CONSTRAINT ck_reminders_reason CHECK ((state = 'skipped') = (reason IS NOT NULL)))"""
    )
    op.execute("CREATE INDEX ix_reminders_waiting ON reminders (remind_at) WHERE state = 'waiting'")
    op.execute("COMMENT ON COLUMN reminders.event_id IS 'by model.reminder_event_id'")
    op.execute("COMMENT ON COLUMN reminders.reason IS 'why it was skipped'")
    op.execute("COMMENT ON COLUMN reminders.handled_at IS 'legal time'")
