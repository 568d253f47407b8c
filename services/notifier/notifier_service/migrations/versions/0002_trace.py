"""A message knows the trace it belongs to."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE notifications ADD COLUMN traceparent text")
