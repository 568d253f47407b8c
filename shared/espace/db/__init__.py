"""PostgreSQL: connections with their limits, the unit of work, the kit's tables, migrations."""

from espace.db.database import Database, is_passing, is_unavailable
from espace.db.revision import MigrateFirst, Revision
from espace.db.tables import kit_metadata
from espace.db.unit_of_work import UnitOfWork

__all__ = [
    "Database",
    "MigrateFirst",
    "Revision",
    "UnitOfWork",
    "is_passing",
    "is_unavailable",
    "kit_metadata",
]
