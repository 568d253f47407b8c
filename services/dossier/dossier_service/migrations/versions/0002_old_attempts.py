"""Old receipt attempts are found by their age."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("CREATE INDEX ix_receipt_attempts_arrived_at ON receipt_attempts (arrived_at)")
