"""Publishing once more what a lost broker held: ``python -m <service> refill --since INSTANT``.

The event log has every fact the service ever published, and the inbox of each reader knows what was
applied. So whatever was recorded since some instant before the loss is due again: what a reader has, it
ignores.
"""

from datetime import datetime

from sqlalchemy import text

from espace.db import Database
from espace.telemetry import get_logger

log = get_logger()
_REFILL = text(
    "INSERT INTO outbox (position) SELECT position FROM event_log WHERE time >= :since "
    "ON CONFLICT (position) DO NOTHING"
)


def refill(database: Database, since: datetime) -> int:
    """Make every event recorded at or after ``since`` due again; how many were not due."""
    with database.transaction() as unit:
        count = unit.session.connection().execute(_REFILL, {"since": since}).rowcount
    log.info("outbox.refilled", since=since.isoformat(), count=count)
    return count
