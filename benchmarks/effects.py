"""A worker of ours for the bench of consumers: one inbox row and one business row for each event.

``python -m benchmarks.effects``; addresses come from the environment of the scheduler's worker.
"""

import sys

from sqlalchemy import text

from deadline_scheduler_service.settings import Settings
from espace import worker
from espace.bus import Incoming, topology
from espace.bus.consumer import Consumer
from espace.config import load
from espace.db import Database, UnitOfWork
from espace.telemetry import configure_logging

TABLE = "CREATE TABLE bench_rows (event_id uuid NOT NULL)"
ROW = text("INSERT INTO bench_rows (event_id) VALUES (:id)")


def leave_a_row(unit: UnitOfWork, incoming: Incoming) -> None:
    """The business row."""
    unit.session.execute(ROW, {"id": incoming.id})


def main() -> int:
    """Consume as the scheduler."""
    settings = load(Settings)
    configure_logging("scheduler", "worker")
    database = Database(
        settings.database_url, pool_size=settings.database_pool_size, application_name="bench-worker"
    )
    handlers = dict.fromkeys(topology.SUBSCRIPTIONS["scheduler"], leave_a_row)
    return worker.run(
        [Consumer("scheduler", handlers, database, settings.amqp_url)],
        database,
        "deadline_scheduler_service",
        port=settings.worker_port,
    )


if __name__ == "__main__":
    sys.exit(main())
