"""Dossiers that the platform filed with itself, to see that it can be done."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Interval, delete, literal, select

from dossier_service.tables import dossiers
from espace.clock import LegalClock
from espace.db import Database
from espace.db.housekeeping import BATCH

KEPT: Final = timedelta(days=1)


def forget_synthetic(database: Database, clock: LegalClock) -> bool:
    """Delete a batch of those that nobody looks at any more; whether there may be more.

    Their events stay in the log, like all others.
    """
    table = dossiers
    old = clock.sql_now() - literal(KEPT, Interval)
    due = select(table.c.id).where(table.c.synthetic, table.c.created_at < old).limit(BATCH)
    with database.transaction() as unit:
        deleted: Any = unit.session.execute(
            delete(table).where(table.c.id.in_(due.with_for_update(skip_locked=True)))
        )
    return bool(deleted.rowcount == BATCH)
