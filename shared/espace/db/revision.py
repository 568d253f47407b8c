"""Whether a database has the schema that a program needs; without Alembic, which only migrating needs."""

import importlib.util
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from espace.db.database import Database
from espace.errors import TransientError


class MigrateFirst(TransientError):
    """The database is older than the program."""


class Revision:
    """The newest revision of ``package``, and whether ``database`` has it.

    Args:
        package: a service's, with its ``migrations/versions/<revision>_<name>.py``; revisions are numbered
            in their order (``0001``). A package without that folder needs nothing.
    """

    def __init__(self, database: Database, package: str) -> None:
        self._database = database
        self.head = head(package)
        self._reached = not self.head

    def check(self) -> None:
        """Ask, until the answer was yes once: a database never goes back. A newer one will do.

        Raises:
            MigrateFirst: it is older.
            sqlalchemy.exc.SQLAlchemyError: it does not answer.
        """
        if self._reached:
            return
        found = None
        try:
            with self._database.engine.connect() as connection:
                found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        except ProgrammingError:
            pass  # there is no such table: nothing was migrated
        if found is None or found < self.head:
            raise MigrateFirst(f"migrate first: the schema is at {found or 'nothing'}, {self.head} is needed")
        self._reached = True


def head(package: str) -> str:
    """The newest revision that ``package`` brings; empty when it has no migrations."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed", name=package)
    versions = Path(spec.origin).parent / "migrations" / "versions"
    return max((file.name.partition("_")[0] for file in versions.glob("[0-9]*_*.py")), default="")
