"""Limits on our own forms and on guessing client secrets: so many per minute and address."""

from sqlalchemy.dialects.postgresql import insert

from espace.clock import utcnow
from espace.db import Database
from espace.http import Problem
from identity_service import secret
from identity_service.tables import LimitRow


def spend(database: Database, what: str, who: str, per_minute: int) -> None:
    """Count one use, in a transaction of its own: a failed request counts too.

    Raises:
        Problem: 429, the limit of this minute is reached.
    """
    now = int(utcnow().timestamp())
    with database.transaction() as unit:
        statement = insert(LimitRow).values(bucket=secret.hashed(f"{what} {who}"), minute=now // 60, count=1)
        counted = unit.session.scalar(
            statement.on_conflict_do_update(
                index_elements=["bucket", "minute"], set_={"count": LimitRow.count + 1}
            ).returning(LimitRow.count)
        )
    if counted is not None and counted > per_minute:
        raise Problem(
            429,
            "too_many_requests",
            "Too many attempts from this address. Wait a minute.",
            headers={"Retry-After": str(60 - now % 60)},
        )
