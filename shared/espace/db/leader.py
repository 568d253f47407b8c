"""Leadership: one process among many does a thing, by an advisory lock on a connection of its own."""

import hashlib
from contextlib import suppress

import psycopg
from sqlalchemy import make_url

from espace.db.database import CONNECT_ARGS
from espace.telemetry import get_logger
from espace.telemetry.metrics import LEADER

log = get_logger()
_OPTIONS = (
    "-c statement_timeout=15000 -c lock_timeout=5000 -c timezone=UTC "
    # A leader whose host vanished is found dead in 25 seconds, and another takes over.
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)


class Leader:
    """The wish to lead ``name`` on one database. Not for several threads.

    The lock lives as long as the connection, so whoever does its work on :attr:`connection` cannot work
    without leading. It must be a direct connection: a pooler between would share it.
    """

    def __init__(self, database_url: str, name: str) -> None:
        self._conninfo = make_url(database_url).set(drivername="postgresql").render_as_string(False)
        self._name = name
        self._key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        self._connection: psycopg.Connection | None = None
        self._leads = False

    @property
    def leads(self) -> bool:
        """Whether the lead was taken; the connection, and the lead with it, may be gone since."""
        return self._leads

    @property
    def connection(self) -> psycopg.Connection:
        """The connection that holds the lock, in autocommit mode; only after :meth:`lead` said yes."""
        if self._connection is None or not self._leads:
            raise RuntimeError(f"not the leader of {self._name}")
        return self._connection

    def lead(self) -> bool:
        """Whether this process leads now; takes the lead when it is free.

        Raises:
            psycopg.OperationalError: the database is away, and with it the lead.
        """
        try:
            if self._connection is None:
                self._connection = psycopg.connect(
                    self._conninfo,
                    autocommit=True,
                    application_name=f"leader of {self._name}",
                    options=_OPTIONS,
                    **CONNECT_ARGS,  # type: ignore[arg-type]
                )
            if self._leads:
                self._connection.execute("SELECT")
            else:
                row = self._connection.execute("SELECT pg_try_advisory_lock(%s)", (self._key,)).fetchone()
                if row is not None and row[0]:
                    self._leads = True
                    LEADER.labels(self._name).set(1)
                    log.info("leader.gained", loop=self._name)
        except psycopg.Error:
            self.resign()
            raise
        return self._leads

    def resign(self) -> None:
        """Give the lead back; harmless when not leading."""
        if self._leads:
            log.info("leader.lost", loop=self._name)
        self._leads = False
        LEADER.labels(self._name).set(0)
        if self._connection is not None:
            with suppress(psycopg.Error):  # a connection that is gone has given the lock back already
                self._connection.execute("SELECT pg_advisory_unlock_all()")
            self._connection.close()
            self._connection = None
