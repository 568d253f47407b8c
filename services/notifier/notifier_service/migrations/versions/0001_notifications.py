"""Messages and attempts."""

from alembic import op

from espace.db.migrations import create_kit_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_kit_tables(op)
    op.execute(
        """CREATE TABLE notifications (
            id uuid PRIMARY KEY,
            channel text NOT NULL,
            template text NOT NULL,
            template_version integer NOT NULL,
            recipient_id uuid NOT NULL,
            event_id uuid NOT NULL,
            dossier_id uuid,
            facts jsonb NOT NULL,
            state text NOT NULL DEFAULT 'created' CONSTRAINT ck_notifications_state
                CHECK (state IN ('created', 'sending', 'temporary', 'sent', 'failed', 'not_sent')),
            reason text,
            language text,
            body_sha256 bytea,
            attempts integer NOT NULL DEFAULT 0,
            due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            sent_at timestamptz,
            request_id text)"""
    )
    op.execute(
        "CREATE INDEX ix_notifications_due ON notifications (due_at) "
        "WHERE state IN ('created', 'sending', 'temporary')"
    )
    op.execute(
        "CREATE INDEX ix_notifications_pending_since ON notifications (created_at) "
        "WHERE state IN ('created', 'sending', 'temporary')"
    )
    op.execute("CREATE INDEX ix_notifications_recipient ON notifications (recipient_id, dossier_id)")
    op.execute(
        """CREATE TABLE attempts (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            notification_id uuid NOT NULL REFERENCES notifications (id),
            number integer NOT NULL,
            started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            ended_at timestamptz,
            outcome text,
            reason text,
            CONSTRAINT uq_attempts_number UNIQUE (notification_id, number))"""
    )
