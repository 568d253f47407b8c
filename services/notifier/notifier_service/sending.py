"""The loop that sends what is due: claim, write, hand over, conclude."""

import hashlib
import threading
import time
from datetime import timedelta
from email.message import EmailMessage
from typing import Protocol

from jinja2 import TemplateError
from sqlalchemy.exc import SQLAlchemyError

from espace.clock import utcnow
from espace.db import Database, is_passing, is_unavailable
from espace.errors import TransientError
from espace.telemetry import caused_by, get_logger, trace_id, tracing
from espace.telemetry.metrics import NOTIFICATION_DELAY, NOTIFICATIONS
from espace.worker import tick
from notifier_service.commands import claim_due, conclude
from notifier_service.composing import Composer
from notifier_service.mail import build_message, recipient_address
from notifier_service.model import CHANNEL, Claimed, NotSent, Outcome, State, Undeliverable
from notifier_service.settings import Settings
from notifier_service.smtp import Postponed

log = get_logger()
REMEMBER_FOR_SECONDS = 900.0
"""How long an outcome is kept in hand while the database is away."""

_LOGGED = {
    State.SENT: "message.sent",
    State.TEMPORARY: "message.postponed",
    State.FAILED: "message.failed",
    State.NOT_SENT: "message.not_sent",
}


class Server(Protocol):
    """Who takes a message over, as :class:`notifier_service.smtp.MailServer` does."""

    def send(self, message: EmailMessage, *, sender: str, to: str, started: float) -> None:
        """Hand over."""


class Sender:
    """Sends messages, one at a time; many workers may run, none takes another's message."""

    def __init__(self, database: Database, composer: Composer, server: Server, settings: Settings) -> None:
        self._database, self._composer, self._server = database, composer, server
        self._settings = settings
        self._lease = timedelta(seconds=settings.mail_lease_seconds)

    def step(self) -> bool:
        """Send the next due message; whether there was one."""
        started = time.monotonic()
        with self._database.transaction() as unit:
            message = claim_due(unit, self._lease)
        if message is None:
            return False
        with (
            caused_by(message.request_id, message.traceparent),
            tracing.span(f"send {message.template}") as span,
        ):
            outcome = self._attempt(message, started)
            if outcome.state in (State.TEMPORARY, State.FAILED):
                span.fail(outcome.reason or outcome.state)
            self._conclude(message, outcome)
        return True

    def _attempt(self, message: Claimed, started: float) -> Outcome:
        try:
            composed = self._composer.compose(message)
            to = recipient_address(composed.email)
            rendered = composed.rendered
            mail = build_message(
                message.id,
                rendered,
                to=to,
                sender=self._settings.mail_from,
                domain=self._settings.mail_domain,
                date=utcnow(),
                trace_id=trace_id(),
            )
            digest = hashlib.sha256(rendered.text.encode()).digest()
        except NotSent as end:
            return Outcome(State.NOT_SENT, end.reason)
        except Undeliverable as end:
            return Outcome(State.FAILED, end.reason)
        except Postponed as pause:
            return Outcome(State.TEMPORARY, pause.reason)
        except TransientError:
            return Outcome(State.TEMPORARY, "owner_does_not_answer")
        except (LookupError, ValueError, TypeError, AttributeError, TemplateError) as error:
            # An owner answered what we do not understand: it shows, and nothing is lost if it is mended.
            log.exception("loop.failed", loop="send", error=type(error).__name__, template=message.template)
            return Outcome(State.TEMPORARY, "cannot_be_written")
        try:
            self._server.send(mail, sender=self._settings.mail_sender, to=to.addr_spec, started=started)
        except Undeliverable as end:
            return Outcome(State.FAILED, end.reason, rendered.language, digest)
        except Postponed as pause:
            return Outcome(State.TEMPORARY, pause.reason, rendered.language, digest)
        return Outcome(State.SENT, None, rendered.language, digest)

    def _conclude(self, message: Claimed, outcome: Outcome) -> None:
        """Write the outcome down; a database that is away or slow is waited for, lest a sent mail go out
        again.
        """
        give_up = time.monotonic() + REMEMBER_FOR_SECONDS
        pause = threading.Event()
        while True:
            try:
                with self._database.transaction() as unit:
                    ours = conclude(unit, message, outcome, retry_scale=self._settings.mail_retry_scale)
                break
            except SQLAlchemyError as error:
                passes = is_unavailable(error) or is_passing(error)
                if not passes or time.monotonic() > give_up:
                    raise
                tick("send")
                pause.wait(0.5)
        if not ours:
            return
        if not message.synthetic:
            NOTIFICATIONS.labels(CHANNEL, message.template, outcome.state).inc()
        if outcome.state is State.SENT:
            delay = (utcnow() - message.since).total_seconds()
            NOTIFICATION_DELAY.labels(message.template).observe(max(0.0, delay))
        log.info(
            _LOGGED[outcome.state],
            notification_id=str(message.id),
            template=message.template,
            attempt=message.attempt,
            reason=outcome.reason,
        )
