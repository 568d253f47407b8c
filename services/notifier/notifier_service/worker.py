"""The worker: takes events, sends messages, reports."""

from collections.abc import Sequence
from datetime import datetime

from espace.bus.consumer import Consumer
from espace.clock import LegalClock
from espace.db import Database
from espace.db.reports import reporting
from espace.worker import Loop, Periodic
from notifier_service.composing import Composer
from notifier_service.events import HANDLERS
from notifier_service.owners import Owners
from notifier_service.rendering import Renderer
from notifier_service.sending import Sender
from notifier_service.settings import Settings
from notifier_service.smtp import MailServer
from notifier_service.watching import announce, report_pending

IDLE_SECONDS = 0.5


def create_sender(settings: Settings, database: Database, owners: Owners | None = None) -> Sender:
    """What sends; ``owners`` are by default those of the settings."""
    clock = LegalClock(settings.legal_clock_file, settings.environment)

    def legal_now() -> datetime:
        with database.session() as session:
            return clock.now(session)

    composer = Composer(
        owners or Owners.of(settings), Renderer(), legal_now=legal_now, public_url=settings.public_url
    )
    server = MailServer(
        settings.smtp_host,
        settings.smtp_port,
        domain=settings.mail_domain,
        timeout=settings.smtp_timeout_seconds,
        data_timeout=settings.smtp_data_timeout_seconds,
        patience=settings.mail_patience_seconds,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=settings.smtp_password,
    )
    return Sender(database, composer, server, settings)


def create_loops(settings: Settings, database: Database) -> Sequence[Loop]:
    """``consume``, ``send`` and ``report``."""
    announce()
    sender = create_sender(settings, database)
    return (
        Consumer(service="notifier", handlers=HANDLERS, database=database, amqp_url=settings.amqp_url),
        Periodic("send", sender.step, IDLE_SECONDS),
        reporting(database, report_pending),
    )
