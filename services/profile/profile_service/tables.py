"""The profile service's tables, and how the model is stored in them."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)

metadata = MetaData()

profiles = Table(
    "profiles",
    metadata,
    Column("citizen_id", Uuid, primary_key=True),
    Column("language", Text, nullable=False),
    Column("private_email", Text),
    Column("space_confirmed_at", DateTime(timezone=True)),
    Column("version", Integer, nullable=False),
    CheckConstraint("language IN ('fr', 'nl', 'de', 'en')", name="language_known"),
)

confirmations = Table(
    "confirmations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("citizen_id", Uuid, ForeignKey("profiles.citizen_id"), nullable=False),
    Column("email", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("used_at", DateTime(timezone=True)),
    Column("replaced_at", DateTime(timezone=True)),
    Index("ix_confirmations_citizen_id_created_at", "citizen_id", "created_at"),
    Index(
        "uq_confirmations_waiting",
        "citizen_id",
        unique=True,
        postgresql_where=text("used_at IS NULL AND replaced_at IS NULL"),
    ),
)
"""One row per message; at most one of a citizen waits."""

notices = Table(
    "notices",
    metadata,
    Column("citizen_id", Uuid, primary_key=True),
    Column("notice", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("hidden", Boolean, nullable=False),
)
"""The version of each notice a citizen has seen last, and whether he ticked it away."""
