"""A document and a manifest know the trace they belong to."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE documents ADD COLUMN traceparent text")
    op.execute("ALTER TABLE manifests ADD COLUMN traceparent text")
