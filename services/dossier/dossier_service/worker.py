"""The worker: takes events, publishes facts, forgets old answers."""

from collections.abc import Sequence

from dossier_service.events import handlers
from dossier_service.settings import Settings
from espace.bus.consumer import Consumer
from espace.bus.relay import Relay
from espace.clock import LegalClock
from espace.db import Database
from espace.db.housekeeping import housekeeping
from espace.worker import Loop


def create_loops(settings: Settings, database: Database) -> Sequence[Loop]:
    """The loops ``consume``, ``relay`` and ``housekeeping``."""
    clock = LegalClock(settings.legal_clock_file, settings.environment)
    return [
        Consumer(service="dossier", handlers=handlers(clock), database=database, amqp_url=settings.amqp_url),
        Relay("dossier", database, settings.amqp_url),
        housekeeping(database),
    ]
