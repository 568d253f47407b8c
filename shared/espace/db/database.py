"""The door to one service's PostgreSQL."""

import select
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import Engine, create_engine, event, exc, text
from sqlalchemy.orm import Session

from espace.db.unit_of_work import UnitOfWork
from espace.telemetry import tracing
from espace.telemetry.metrics import DB_POOL_IN_USE, DB_POOL_SIZE

STATEMENT_TIMEOUT_MS = 15_000
LOCK_TIMEOUT_MS = 5_000
IDLE_IN_TRANSACTION_TIMEOUT_MS = 30_000
CONNECT_ARGS: dict[str, object] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}

# lock_not_available, query_canceled (statement time-out), serialization_failure, deadlock_detected
_PASSING = ("55P03", "57014", "40001", "40P01")


class Database:
    """Connections to one database, pooled, each with its time-outs; safe to share between threads.

    Args:
        url: ``postgresql+psycopg://…``.
        pool_size: connections at most; set it to the number of threads that use it.
        application_name: what PostgreSQL shows in ``pg_stat_activity``.
    """

    def __init__(self, url: str, *, pool_size: int = 5, application_name: str = "espace") -> None:
        self.url = url
        self.application_name = application_name
        self._pool_size = pool_size
        options = (
            f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout={LOCK_TIMEOUT_MS} "
            f"-c idle_in_transaction_session_timeout={IDLE_IN_TRANSACTION_TIMEOUT_MS} -c timezone=UTC"
        )
        self.engine: Engine = create_engine(
            url,
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            connect_args={**CONNECT_ARGS, "application_name": application_name, "options": options},
        )
        event.listen(self.engine, "checkout", _refuse_closed)
        self._reading = self.engine.execution_options(postgresql_readonly=True)

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        """A unit of work; commits at the normal end, rolls back on any exception."""
        with tracing.transaction(), Session(self.engine, expire_on_commit=False) as session:
            unit = UnitOfWork(session)
            yield unit
            unit.flush()
            session.commit()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that can only read."""
        with Session(self._reading) as session:
            yield session

    def report_pool(self) -> None:
        """Have the metrics show this pool; a program has one."""
        DB_POOL_SIZE.set(self._pool_size)
        DB_POOL_IN_USE.set_function(lambda: self.engine.pool.checkedout())  # type: ignore[attr-defined]

    def ping(self) -> None:
        """Ask the database anything.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: it does not answer.
        """
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def dispose(self) -> None:
        """Close the pool's connections."""
        self.engine.dispose()


def _refuse_closed(connection: "psycopg.Connection[object]", _record: object, _proxy: object) -> None:
    """Have the pool replace a connection that the server closed while it was idle.

    A look at the socket (2 µs) in place of a round trip for each transaction: an idle connection has
    nothing to say but its end.
    """
    if connection.closed or _poll_readable(connection.fileno()):
        raise exc.DisconnectionError("closed while idle")


def _poll_readable(descriptor: int) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(0))


def is_unavailable(error: BaseException) -> bool:
    """Whether ``error`` says that the database is away or overloaded (try later), not that we were wrong.

    A time-out of a lock or a statement, a serialization failure and a deadlock are not that.
    """
    if isinstance(error, exc.TimeoutError):
        return True
    if not isinstance(error, exc.DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return isinstance(error.orig, psycopg.OperationalError)
    # Classes: connection, insufficient resources (disk full, out of memory, too many connections).
    return state[:2] in ("08", "53") or state in ("57P01", "57P02", "57P03", "57P05", "25P03")


def is_passing(error: BaseException) -> bool:
    """Whether the transaction met another one, or a limit of time, and may do better when it is run again."""
    return isinstance(error, exc.DBAPIError) and getattr(error.orig, "sqlstate", None) in _PASSING
