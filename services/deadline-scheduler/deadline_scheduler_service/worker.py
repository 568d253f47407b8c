"""The scheduler's loops: consume, relay, tick, report."""

from collections.abc import Sequence

from deadline_scheduler_service.events import HANDLERS
from deadline_scheduler_service.firing import fire_due
from deadline_scheduler_service.settings import Settings
from deadline_scheduler_service.watching import watching
from espace.bus.consumer import Consumer
from espace.bus.relay import Relay
from espace.clock import LegalClock
from espace.db import Database
from espace.db.reports import reporting
from espace.worker import Loop, Periodic

TICK_SECONDS = 1.0


def create_loops(settings: Settings, database: Database) -> Sequence[Loop]:
    """Wire the worker."""
    clock = LegalClock(settings.legal_clock_file, settings.environment)
    return [
        Consumer("scheduler", HANDLERS, database, settings.amqp_url),
        Relay("scheduler", database, settings.amqp_url, late=True),
        Periodic("tick", lambda: fire_due(database, clock), TICK_SECONDS, database),
        reporting(database, watching(clock)),
    ]
