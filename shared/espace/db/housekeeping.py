"""What the kit's tables forget."""

from sqlalchemy import text

from espace.db.database import Database
from espace.worker import Periodic

ANSWER_LIFE_DAYS = 7
"""How long a request may be repeated with its key: longer than any client tries, no longer than needed,
since an answer holds what its citizen was told."""
BATCH = 1000
PAUSE_SECONDS = 600
_FORGET = text(
    "DELETE FROM idempotency_keys WHERE (principal, key, route) IN ("
    "SELECT principal, key, route FROM idempotency_keys "
    "WHERE created_at < clock_timestamp() - make_interval(days => :days) "
    "ORDER BY created_at LIMIT :batch FOR UPDATE SKIP LOCKED)"
)


def forget_answers(database: Database) -> bool:
    """Delete a batch of stored answers that are too old to be repeated; whether there may be more."""
    with database.transaction() as unit:
        deleted = unit.session.connection().execute(_FORGET, {"days": ANSWER_LIFE_DAYS, "batch": BATCH})
    return deleted.rowcount == BATCH


def housekeeping(database: Database) -> Periodic:
    """The loop ``housekeeping``; any number of workers may run it."""
    return Periodic("housekeeping", lambda: forget_answers(database), PAUSE_SECONDS)
