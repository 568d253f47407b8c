"""Which request set a deadline: what it fires days later says so."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute("ALTER TABLE deadlines ADD COLUMN request_id text, ADD COLUMN traceparent text")
