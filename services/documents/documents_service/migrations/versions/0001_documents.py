"""Documents and deposit manifests."""

from alembic import op
from espace.db.migrations import create_kit_tables

revision = "0001"
down_revision = None

STATEMENTS = (
    """CREATE TABLE documents (
        id uuid PRIMARY KEY,
        owner_id uuid NOT NULL,
        kind text NOT NULL,
        dossier_id uuid NOT NULL,
        slot text NOT NULL,
        filename text NOT NULL,
        size bigint NOT NULL,
        sha256 text NOT NULL,
        declared_type text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        state text NOT NULL CONSTRAINT ck_documents_state
            CHECK (state IN ('registered', 'verified', 'refused', 'expired')),
        refusal text,
        content_type text,
        etag text,
        statement text,
        verified_at timestamptz,
        scan text CONSTRAINT ck_documents_scan
            CHECK (scan IN ('pending', 'clean', 'infected', 'not_scanned', 'generated')),
        scan_signature text,
        scan_due_at timestamptz,
        scan_attempts integer NOT NULL,
        scanned_at timestamptz,
        deposited_at timestamptz,
        sweep_due_at timestamptz,
        incoming_removed_at timestamptz,
        version integer NOT NULL,
        CONSTRAINT ck_documents_verified CHECK ((state = 'verified') = (verified_at IS NOT NULL)))""",
    "CREATE INDEX ix_documents_dossier ON documents (dossier_id)",
    "CREATE INDEX ix_documents_registered ON documents (sweep_due_at) WHERE state = 'registered'",
    "CREATE INDEX ix_documents_scan_due ON documents (scan_due_at) WHERE scan = 'pending'",
    """CREATE INDEX ix_documents_to_remove ON documents (expires_at)
        WHERE incoming_removed_at IS NULL AND state <> 'registered'""",
    """CREATE TABLE manifests (
        event_id uuid PRIMARY KEY,
        dossier_id uuid NOT NULL,
        body text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        written_at timestamptz)""",
    "CREATE INDEX ix_manifests_unwritten ON manifests (created_at) WHERE written_at IS NULL",
)


def upgrade() -> None:
    create_kit_tables(op)
    for statement in STATEMENTS:
        op.execute(statement)
