"""Whether a database has the schema that a program needs; without Alembic, which only migrating needs."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from espace.db.database import Database
from espace.errors import TransientError
from espace.telemetry import get_logger
from espace.telemetry.failures import tell

log = get_logger()
PAUSE_SECONDS = 1.0


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


def await_head(database_url: str, package: str, pause: Callable[[float], bool]) -> bool:
    """Wait, however long, until someone else has brought the database to the schema of ``package``.

    Args:
        pause: waits so many seconds, or until there is no use in waiting any more, which it says.

    Returns:
        whether the schema is there.
    """
    database = Database(database_url, pool_size=1, application_name=f"{package} waits")
    revision, told = Revision(database, package), None
    try:
        while True:
            try:
                revision.check()
                return True
            except MigrateFirst as error:
                reason = str(error)
            except SQLAlchemyError as error:
                reason = tell(error)
            if reason != told:
                log.info("migration.awaited", reason=reason)
                told = reason
            if pause(PAUSE_SECONDS):
                return False
    finally:
        database.dispose()


def head(package: str) -> str:
    """The newest revision that ``package`` brings; empty when it has no migrations."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed", name=package)
    versions = Path(spec.origin).parent / "migrations" / "versions"
    return max((file.name.partition("_")[0] for file in versions.glob("[0-9]*_*.py")), default="")
