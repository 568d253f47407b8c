"""Other administrations are told what becomes of dossiers."""

from alembic import op

from espace.outside.outsiders import open_to_outsiders

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    open_to_outsiders(op)
