"""Composition root of the worker: it publishes what was recorded, forgets old answers, and reports."""

from collections.abc import Sequence

from espace.bus.relay import Relay
from espace.db import Database
from espace.db.housekeeping import housekeeping
from espace.db.reports import reporting
from espace.worker import Loop
from profile_service.settings import Settings


def create_loops(settings: Settings, database: Database) -> Sequence[Loop]:
    """The loops of the profile service."""
    return [Relay("profile", database, settings.amqp_url), housekeeping(database), reporting(database)]
