"""``python -m tests.chaos.writer``: records one event in a transaction, and passes a crash point in it."""

import os
from uuid import uuid4

from espace import crash
from espace.bus import Event
from espace.db import Database

SET = "be.espace.dossier.deadline_set.v1"


def a_fact() -> Event:
    """Something that the scheduler reads."""
    subject = str(uuid4())
    data = {"deadline_id": subject, "kind": "test", "due_at": "2024-10-25T22:00:00Z", "reminders": []}
    return Event(type=SET, subject=subject, version=1, data=data)


def main() -> None:
    """One transaction."""
    database = Database(os.environ["ESPACE_DATABASE_URL"], application_name="writer")
    with database.transaction() as unit:
        unit.record(a_fact())
        crash.point("writer.before_commit")
    database.dispose()


if __name__ == "__main__":
    main()
