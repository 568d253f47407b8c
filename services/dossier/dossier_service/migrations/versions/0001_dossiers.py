"""Dossiers, requests for information, receipt attempts."""

from alembic import op

from espace.db.migrations import create_kit_tables

revision = "0001"
down_revision = None

PIECE = """document_id uuid PRIMARY KEY,
    slot text NOT NULL,
    filename text NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    sha256 text NOT NULL,
    content_type text NOT NULL,
    added_at timestamptz NOT NULL"""

STATEMENTS = (
    "CREATE SEQUENCE dossier_numbers",
    """CREATE TABLE dossiers (
    id uuid PRIMARY KEY,
    citizen_id uuid NOT NULL,
    procedure text NOT NULL,
    procedure_version integer NOT NULL,
    prefilled jsonb NOT NULL,
    typed jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('draft', 'validated', 'submitted', 'withdrawn')),
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    saved_at timestamptz NOT NULL,
    validated_at timestamptz,
    values_sha256 text,
    number text UNIQUE,
    received_at timestamptz,
    deposited_sha256 text,
    unique_key text,
    withdrawn_at timestamptz)""",
    "CREATE INDEX ix_dossiers_citizen_saved ON dossiers (citizen_id, saved_at)",
    """CREATE UNIQUE INDEX uq_dossiers_one_deposit ON dossiers (citizen_id, unique_key)
    WHERE unique_key IS NOT NULL""",
    f"CREATE TABLE attachments ({PIECE}, dossier_id uuid NOT NULL REFERENCES dossiers (id))",
    "CREATE INDEX ix_attachments_dossier_id ON attachments (dossier_id)",
    """CREATE TABLE information_requests (
    id uuid PRIMARY KEY,
    dossier_id uuid NOT NULL REFERENCES dossiers (id),
    origin text NOT NULL,
    element text NOT NULL,
    opened_at timestamptz NOT NULL,
    due_date date NOT NULL,
    due_at timestamptz NOT NULL,
    reasons jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'answered', 'lapsed', 'withdrawn')),
    deadline_version bigint NOT NULL,
    answered_at timestamptz,
    late boolean NOT NULL,
    lapsed_at timestamptz)""",
    "CREATE INDEX ix_information_requests_dossier_id ON information_requests (dossier_id)",
    f"""CREATE TABLE information_request_pieces ({PIECE},
    request_id uuid NOT NULL REFERENCES information_requests (id),
    sent_at timestamptz)""",
    "CREATE INDEX ix_information_request_pieces_request_id ON information_request_pieces (request_id)",
    """CREATE TABLE receipt_attempts (
    citizen_id uuid NOT NULL,
    key text NOT NULL,
    target_id uuid NOT NULL,
    body_sha256 text NOT NULL,
    received_at timestamptz NOT NULL,
    arrived_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at timestamptz,
    PRIMARY KEY (citizen_id, key, target_id))""",
    "CREATE INDEX ix_receipt_attempts_target ON receipt_attempts (target_id)",
    """CREATE TABLE document_scans (
    document_id uuid PRIMARY KEY,
    outcome text NOT NULL,
    version bigint NOT NULL)""",
)


def upgrade() -> None:
    create_kit_tables(op)
    for statement in STATEMENTS:
        op.execute(statement)
