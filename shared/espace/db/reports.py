"""What a worker tells of its database, apart from the work itself, so that it tells when that fails."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from espace.clock import utcnow
from espace.db.database import Database
from espace.telemetry.metrics import (
    CLOCK_OFFSET,
    DB_CONNECTIONS,
    DB_SIZE,
    INBOX_NEWEST,
    OUTBOX_OLDEST_AGE,
    OUTBOX_UNPUBLISHED,
)
from espace.worker import Periodic

PAUSE_SECONDS = 10.0
Report = Callable[[Session], None]
"""Looks, and sets metrics."""

_STATE = text("""
    SELECT clock_timestamp(), pg_database_size(current_database()),
        (SELECT numbackends FROM pg_stat_database WHERE datname = current_database()),
        (SELECT count(*) FROM outbox),
        (SELECT extract(epoch FROM clock_timestamp() - min(created_at)) FROM outbox),
        (SELECT extract(epoch FROM max(received_at)) FROM inbox)
""")


def reporting(database: Database, *reports: Report) -> Periodic:
    """The loop ``report``: of the kit's tables, and ``reports`` of the service's own; each worker runs it."""

    def step() -> bool:
        with database.session() as session:
            for report in (report_state, *reports):
                report(session)
        return False

    return Periodic("report", step, PAUSE_SECONDS)


def report_state(session: Session) -> None:
    """Outbox, inbox, size, connections, and how far the clocks are apart."""
    asked = utcnow()
    now, size, connections, unpublished, oldest, newest = session.execute(_STATE).one()
    CLOCK_OFFSET.set(_offset(now, asked, utcnow()))
    DB_SIZE.set(size)
    DB_CONNECTIONS.set(connections)
    OUTBOX_UNPUBLISHED.set(unpublished)
    OUTBOX_OLDEST_AGE.set(oldest or 0)
    INBOX_NEWEST.set(newest or 0)


def _offset(there: datetime, asked: datetime, answered: datetime) -> float:
    """How far another clock is ahead; within the time the question took nobody knows."""
    if there < asked:
        return (there - asked).total_seconds()
    return max(0.0, (there - answered).total_seconds())
