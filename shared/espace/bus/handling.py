"""What one delivered event leads to; no broker here, so that it can be read and tested by itself."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import text

from espace import crash
from espace.bus import topology
from espace.bus.event import Incoming, decode, routing_key
from espace.db import Database, UnitOfWork, is_passing, is_unavailable
from espace.errors import DependencyDown, PermanentError, TransientError
from espace.telemetry import caused_by, get_logger, tracing

log = get_logger()
LONGEST_HOLD_PAUSE = 5.0

# One statement for any number. The ids are in order: two consumers that meet the same ones do not deadlock.
_TAKE = text("""
    INSERT INTO inbox (event_id, type) SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]))
    ON CONFLICT DO NOTHING RETURNING event_id
""")

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
        with _processing(incoming) as span:
            outcome = self._handle(handler, incoming, over)
            if not isinstance(outcome, Handled):
                span.fail(outcome.label)
            return outcome

    def handle_together(self, deliveries: Sequence[Delivery], over: threading.Event) -> list[Outcome]:
        """Handle several in one transaction, which costs one commit; where that fails, each by itself.

        Never raises. The outcomes are in the order of ``deliveries``; after one that is abandoned all are.
        """
        if len(deliveries) > 1 and not over.is_set():
            with suppress(Exception):  # whoever is at fault meets it again below, alone, and is named
                return self._apply_together([decode(delivery.body) for delivery in deliveries])
        outcomes: list[Outcome] = []
        for delivery in deliveries:
            given_up = bool(outcomes) and isinstance(outcomes[-1], Abandoned)
            outcomes.append(Abandoned() if given_up else self.handle(delivery, over))
        return outcomes

    def _handle(self, handler: Handler, incoming: Incoming, over: threading.Event) -> Outcome:
        told = _told(incoming)
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
                return _handled(incoming, duplicate=duplicate)
        return Abandoned()

    def _apply(self, handler: Handler, incoming: Incoming) -> bool:
        """Whether it was new."""
        with self._database.transaction() as unit:
            if not _take(unit, [incoming]):
                return False
            handler(unit, incoming)
            unit.flush()
            crash.point("consumer.before_commit")
        crash.point("consumer.after_commit")
        return True

    def _apply_together(self, arrived: Sequence[Incoming]) -> list[Outcome]:
        with self._database.transaction() as unit:
            new = _take(unit, arrived)
            handled: list[Callable[[], Outcome]] = []  # to be told, each in its own context, once it is true
            for incoming in arrived:
                duplicate = incoming.id not in new
                with _processing(incoming):
                    if not duplicate:
                        new.remove(incoming.id)
                        self._handlers[incoming.type](unit, incoming)
                        unit.flush()
                        unit.session.expunge_all()  # the next one reads what is there, not what this one saw
                    handled.append(partial(copy_context().run, _handled, incoming, duplicate=duplicate))
            crash.point("consumer.before_commit")
        crash.point("consumer.after_commit")
        return [tell() for tell in handled]

    @staticmethod
    def _retried(error: Exception, told: dict[str, str]) -> Retried:
        expected = isinstance(error, TransientError) or is_passing(error)
        log.warning("consumer.retried", error=type(error).__name__, exc_info=error, **told)
        # The text of an unexpected exception may carry data; the log redacts it, a header would not.
        text = (
            f"{type(error).__name__}: {error}" if isinstance(error, TransientError) else type(error).__name__
        )
        return Retried(text, unexpected=not expected)


def _take(unit: UnitOfWork, arrived: Sequence[Incoming]) -> set[UUID]:
    """Write the inbox rows; which of them were not there yet."""
    ordered = sorted(arrived, key=lambda incoming: incoming.id)
    rows = {"ids": [incoming.id for incoming in ordered], "types": [incoming.type for incoming in ordered]}
    return set(unit.session.connection().execute(_TAKE, rows).scalars())


@contextmanager
def _processing(incoming: Incoming) -> Iterator[tracing.Span]:
    """What is logged, recorded and traced meanwhile belongs to the event's cause."""
    with (
        caused_by(incoming.request_id, incoming.traceparent),
        tracing.processing(topology.EVENTS, routing_key(incoming.type), str(incoming.id)) as span,
    ):
        yield span


def _handled(incoming: Incoming, *, duplicate: bool) -> Handled:
    log.info("consumer.duplicate" if duplicate else "consumer.handled", **_told(incoming))
    return Handled(duplicate=duplicate)


def _told(incoming: Incoming) -> dict[str, str]:
    return {"type": incoming.type, "event_id": str(incoming.id)}
