"""The worker: takes events, publishes facts, tells outsiders, forgets what is old, reports."""

from collections.abc import Sequence

from dossier_service.claims.attempts import forget_attempts
from dossier_service.claims.synthetic import forget_synthetic
from dossier_service.events import handlers
from dossier_service.settings import Settings
from espace.auth.signing import Signer
from espace.bus.consumer import Consumer
from espace.bus.relay import Relay
from espace.clock import LegalClock
from espace.db import Database
from espace.db.housekeeping import PAUSE_SECONDS, forget_answers
from espace.db.reports import reporting
from espace.outside.forwarder import Forwarder
from espace.worker import Loop, Periodic


def create_loops(settings: Settings, database: Database) -> Sequence[Loop]:
    """The loops ``consume``, ``relay``, ``forward``, ``housekeeping`` and ``report``."""
    clock = LegalClock(settings.legal_clock_file, settings.environment)

    def forget() -> bool:
        return forget_answers(database) | forget_attempts(database) | forget_synthetic(database, clock)

    return [
        Consumer(service="dossier", handlers=handlers(clock), database=database, amqp_url=settings.amqp_url),
        Relay("dossier", database, settings.amqp_url),
        Forwarder("dossier", database, settings.amqp_url, Signer(settings.event_key)),
        Periodic("housekeeping", forget, PAUSE_SECONDS),
        reporting(database),
    ]
