"""The first schema: the kit's tables, profiles, confirmations, notices."""

from alembic import op

from espace.db.migrations import create_kit_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """CREATE TABLE profiles (
        citizen_id uuid PRIMARY KEY,
        language text NOT NULL CONSTRAINT language_known CHECK (language IN ('fr', 'nl', 'de', 'en')),
        private_email text,
        space_confirmed_at timestamptz,
        version integer NOT NULL)""",
    """CREATE TABLE confirmations (
        id uuid PRIMARY KEY,
        citizen_id uuid NOT NULL REFERENCES profiles (citizen_id),
        email text NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        replaced_at timestamptz)""",
    "CREATE INDEX ix_confirmations_citizen_id_created_at ON confirmations (citizen_id, created_at)",
    """CREATE UNIQUE INDEX uq_confirmations_waiting ON confirmations (citizen_id)
        WHERE used_at IS NULL AND replaced_at IS NULL""",
    """CREATE TABLE notices (
        citizen_id uuid NOT NULL,
        notice text NOT NULL,
        version text NOT NULL,
        hidden boolean NOT NULL,
        PRIMARY KEY (citizen_id, notice))""",
)


def upgrade() -> None:
    create_kit_tables(op)
    for statement in STATEMENTS:
        op.execute(statement)
