"""A worker for tests, run as a process of its own: it relays, and leaves one row per event it applied.

``python effects_worker.py relay consume``; addresses come from the environment.
"""

import os
import sys

from sqlalchemy import text

from espace import worker
from espace.bus import Incoming, topology
from espace.bus.consumer import Consumer
from espace.bus.relay import Relay
from espace.db import Database, UnitOfWork
from espace.telemetry import configure_logging


def leave_an_effect(unit: UnitOfWork, incoming: Incoming) -> None:
    """No unique key here on purpose: an event applied twice would leave two rows."""
    unit.session.execute(text("INSERT INTO effects (event_id) VALUES (:id)"), {"id": incoming.id})


HANDLERS = dict.fromkeys(topology.SUBSCRIPTIONS["scheduler"], leave_an_effect)

if __name__ == "__main__":
    configure_logging("scheduler", "worker", strict=True)
    database = Database(os.environ["ESPACE_DATABASE_URL"], application_name="effects worker")
    loops: dict[str, worker.Loop] = {
        "relay": Relay("dossier", database, os.environ["ESPACE_AMQP_URL"]),
        "consume": Consumer("scheduler", HANDLERS, database, os.environ["ESPACE_AMQP_URL"]),
    }
    status = worker.run([loops[name] for name in sys.argv[1:]], database, "deadline_scheduler_service")
    database.dispose()
    sys.exit(status)
