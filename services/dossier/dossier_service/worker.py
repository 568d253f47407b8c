"""The worker: takes events, publishes facts, forgets old answers and stamps."""

from collections.abc import Sequence

from dossier_service.claims.attempts import forget_attempts
from dossier_service.events import handlers
from dossier_service.settings import Settings
from espace.bus.consumer import Consumer
from espace.bus.relay import Relay
from espace.clock import LegalClock
from espace.db import Database
from espace.db.housekeeping import PAUSE_SECONDS, forget_answers
from espace.worker import Loop, Periodic


def create_loops(settings: Settings, database: Database) -> Sequence[Loop]:
    """The loops ``consume``, ``relay`` and ``housekeeping``."""
    clock = LegalClock(settings.legal_clock_file, settings.environment)

    def forget() -> bool:
        return forget_answers(database) | forget_attempts(database)

    return [
        Consumer(service="dossier", handlers=handlers(clock), database=database, amqp_url=settings.amqp_url),
        Relay("dossier", database, settings.amqp_url),
        Periodic("housekeeping", forget, PAUSE_SECONDS),
    ]
