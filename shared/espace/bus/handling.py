"""What one delivered event leads to; no broker here, so that it can be read and tested by itself."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert

from espace import crash
from espace.bus import topology
from espace.bus.event import Incoming, decode, routing_key
from espace.db import Database, UnitOfWork, is_passing, is_unavailable
from espace.db.tables import inbox
from espace.errors import DependencyDown, PermanentError, TransientError
from espace.telemetry import caused_by, get_logger, tracing

log = get_logger()
LONGEST_HOLD_PAUSE = 5.0

# Made once: building and keying it took longer than running it.
_TAKE = (
    insert(inbox)
    .values({name: bindparam(name, type_=inbox.c[name].type) for name in ("event_id", "type")})
    .on_conflict_do_nothing()
    .returning(inbox.c.event_id)
)

Handler = Callable[[UnitOfWork, Incoming], None]
"""Applies an event in the transaction it is given. Database work only: no network, no files."""


@dataclass(frozen=True)
class Delivery:
    """A message in hand: its tag, its properties (pika's), its body."""

    tag: int
    properties: Any
    body: bytes


@dataclass(frozen=True)
class Handled:
    """Applied and committed, or found to be applied already."""

    label: ClassVar[str] = "handled"
    duplicate: bool = False


@dataclass(frozen=True)
class Retried:
    """To be tried again after a while; ``unexpected`` faults get fewer tries."""

    label: ClassVar[str] = "retried"
    error: str
    unexpected: bool = False


@dataclass(frozen=True)
class Parked:
    """To be put among the dead letters; ``reason`` is a word, ``error`` a sentence without personal data."""

    label: ClassVar[str] = "parked"
    reason: str
    error: str


@dataclass(frozen=True)
class Abandoned:
    """Not finished before the stop, or held too long; the broker delivers it again."""

    label: ClassVar[str] = "abandoned"


Outcome = Handled | Retried | Parked | Abandoned


class Handling:
    """Decodes, deduplicates by the inbox, calls the handler in one transaction, names the outcome."""

    def __init__(self, handlers: Mapping[str, Handler], database: Database, hold_seconds: float) -> None:
        self._handlers = handlers
        self._database = database
        self._hold_seconds = hold_seconds

    def handle(self, delivery: Delivery, over: threading.Event) -> Outcome:
        """Handle one delivery; never raises. While a dependency is down it waits, at most until ``over``."""
        try:
            incoming = decode(delivery.body)
        except PermanentError as error:
            log.exception("consumer.parked", reason="malformed")
            return Parked("malformed", str(error))
        handler = self._handlers.get(incoming.type)
        if handler is None:
            log.error("consumer.parked", reason="unknown type", type=incoming.type)
            return Parked("unknown type", f"no handler for {incoming.type}")
        with (
            caused_by(incoming.request_id, incoming.traceparent),
            tracing.processing(topology.EVENTS, routing_key(incoming.type), str(incoming.id)) as span,
        ):
            outcome = self._handle(handler, incoming, over)
            if not isinstance(outcome, Handled):
                span.fail(outcome.label)
            return outcome

    def _handle(self, handler: Handler, incoming: Incoming, over: threading.Event) -> Outcome:
        told = {"type": incoming.type, "event_id": str(incoming.id)}
        pause, give_up = 0.1, time.monotonic() + self._hold_seconds
        while not over.is_set() and time.monotonic() < give_up:
            try:
                duplicate = not self._apply(handler, incoming)
            except PermanentError as error:
                log.error("consumer.parked", reason="permanent", exc_info=error, **told)  # noqa: TRY400
                return Parked("permanent", f"{type(error).__name__}: {error}")
            except Exception as error:  # noqa: BLE001  mapped here, once, and never swallowed
                if not (isinstance(error, DependencyDown) or is_unavailable(error)):
                    return self._retried(error, told)
                log.warning("consumer.interrupted", reason=type(error).__name__, **told)
                over.wait(pause)
                pause = min(LONGEST_HOLD_PAUSE, pause * 2)
            else:
                log.info("consumer.duplicate" if duplicate else "consumer.handled", **told)
                return Handled(duplicate=duplicate)
        return Abandoned()

    def _apply(self, handler: Handler, incoming: Incoming) -> bool:
        """Whether it was new."""
        with self._database.transaction() as unit:
            taken = {"event_id": incoming.id, "type": incoming.type}
            if unit.session.connection().execute(_TAKE, taken).first() is None:
                return False
            handler(unit, incoming)
            unit.flush()
            crash.point("consumer.before_commit")
        crash.point("consumer.after_commit")
        return True

    @staticmethod
    def _retried(error: Exception, told: dict[str, str]) -> Retried:
        expected = isinstance(error, TransientError) or is_passing(error)
        log.warning("consumer.retried", error=type(error).__name__, exc_info=error, **told)
        # The text of an unexpected exception may carry data; the log redacts it, a header would not.
        text = (
            f"{type(error).__name__}: {error}" if isinstance(error, TransientError) else type(error).__name__
        )
        return Retried(text, unexpected=not expected)
