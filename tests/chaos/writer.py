"""``python -m tests.chaos.writer``: records one event in a transaction, and passes a crash point in it."""

import os

from espace import crash
from espace.db import Database
from shared.tests.bus.facts import a_fact


def main() -> None:
    """One transaction."""
    database = Database(os.environ["ESPACE_DATABASE_URL"], application_name="writer")
    with database.transaction() as unit:
        unit.record(a_fact())
        crash.point("writer.before_commit")
    database.dispose()


if __name__ == "__main__":
    main()
