"""Dossiers of the synthetic citizen are marked, and found by their age."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE dossiers ADD COLUMN synthetic boolean NOT NULL DEFAULT false")
    op.execute("CREATE INDEX ix_dossiers_synthetic ON dossiers (created_at) WHERE synthetic")
