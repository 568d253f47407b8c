"""Sessions that are over are remembered a while, without their contents."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("ended_at", sa.DateTime(timezone=True), index=True))
    op.alter_column("sessions", "sealed", nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM sessions WHERE sealed IS NULL")
    op.alter_column("sessions", "sealed", nullable=False)
    op.drop_column("sessions", "ended_at")
