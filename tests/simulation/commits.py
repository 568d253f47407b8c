"""A database whose commits fail: for real, on the connection in use."""

from typing import Any, Final, Literal

import psycopg

from espace.db import Database

Failure = Literal["lost before", "lost after", "refused"]
FAILURES: Final[tuple[Failure, ...]] = ("lost before", "lost after", "refused")
"""The connection is lost before or after the commit, or PostgreSQL does not serialize the transaction."""


class Commits:
    """The commits of one database; each is PostgreSQL's own, but for the one that is to fail."""

    def __init__(self, database: Database) -> None:
        dialect: Any = database.engine.dialect
        self._failing: tuple[Failure, int] | None = None
        self._commit, dialect.do_commit = dialect.do_commit, self._do_commit

    def fail(self, failure: Failure, number: int = 1) -> None:
        """Have the next commit fail, or the one after that."""
        self._failing = failure, number

    def sound(self) -> None:
        """Have none fail."""
        self._failing = None

    def _do_commit(self, connection: Any) -> None:
        if self._failing is None:
            self._commit(connection)
            return
        failure, number = self._failing
        if number > 1:
            self._failing = failure, number - 1
            self._commit(connection)
            return
        self._failing = None
        if failure == "refused":
            connection.rollback()  # as a COMMIT that fails does
            raise psycopg.errors.SerializationFailure("could not serialize access")
        if failure == "lost after":
            self._commit(connection)
        connection.dbapi_connection.close()  # the server rolls back what was not committed
        raise psycopg.OperationalError("the connection was lost")
