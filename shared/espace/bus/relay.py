"""The relay: publishes what the outbox points to, and deletes from it exactly what the broker confirmed."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

import psycopg

from espace import crash
from espace.bus import topology
from espace.bus.event import Event, routing_key
from espace.bus.holds import Holds
from espace.bus.publisher import CONFIRM_SECONDS, Message, Outcome, Publisher, message_of
from espace.db import Database
from espace.db.leader import Leader
from espace.telemetry import get_logger, tracing
from espace.telemetry.metrics import EVENTS_PUBLISHED, LOOP_ERRORS
from espace.worker import Stop, tick

log = get_logger()
BATCH = 2000
SHORTEST_PAUSE = 0.002
LONGEST_PAUSE = 0.25
FOLLOWER_PAUSE = 2.0
LONGEST_BACKOFF = 15.0

# No cursor "position > last": positions become visible in the order of commits, not of numbers.
# OFFSET 0 has each event looked up by its position. A plain join was merged by PostgreSQL, which does not
# know how few rows wait: for each batch it read the log from its beginning, however long that is.
_ROWS = """
    SELECT e.* FROM outbox o CROSS JOIN LATERAL (
        SELECT position, id, type, subject, version, time, data, request_id, traceparent
        FROM event_log WHERE position = o.position OFFSET 0
    ) e WHERE {} ORDER BY o.position LIMIT %s
"""
_NEXT = _ROWS.format("type <> ALL(%s)")
_FIRST_OF = _ROWS.format("type = %s")


class Publishing(Protocol):
    """The way to the broker, as :class:`Publisher` is one; it may be lost and found again at any call."""

    def publish(self, exchange: str, batch: Sequence[Message]) -> Outcome:
        """Publish, and wait for what becomes of each message."""

    def keep_alive(self) -> None:
        """To be called each second while idle."""

    def close(self) -> None:
        """Drop the connection, whatever its state."""


class Relay:
    """One service's relay; among many workers one leads, the others wait.

    It reads and deletes on the very connection that holds the leader's lock, and holds no row lock while
    it speaks with the broker.

    Args:
        late: what it publishes comes about long after its cause: it starts a trace, linked to the cause's.
        publisher: by default a connection to ``amqp_url``.
        holds: by default on the machine's clock.
    """

    name = "relay"

    def __init__(
        self,
        service: str,
        database: Database,
        amqp_url: str,
        *,
        confirm_seconds: float = CONFIRM_SECONDS,
        late: bool = False,
        publisher: Publishing | None = None,
        holds: Holds | None = None,
    ) -> None:
        self._service = service
        self._late = late
        self._leader = Leader(database.url, self.name)
        self._publisher = publisher or Publisher(
            amqp_url, f"{service} relay", confirm_seconds=confirm_seconds
        )
        self._holds = holds or Holds()
        self._kept_alive = float("-inf")

    def run(self, stop: Stop) -> None:
        pause, backoff = SHORTEST_PAUSE, 0.5
        try:
            while not stop.is_set():
                tick(self.name)
                turn = self.turn()
                if turn is None:
                    stop.wait(FOLLOWER_PAUSE)
                    continue
                published, error = turn
                if error is not None:
                    LOOP_ERRORS.labels(self.name).inc()
                    log.warning("relay.interrupted", reason=error, published=published)
                    stop.wait(backoff)
                    backoff = min(LONGEST_BACKOFF, backoff * 2)
                    continue
                backoff = 0.5
                if published:
                    pause = SHORTEST_PAUSE
                if published < BATCH:
                    self._keep_alive()
                    stop.wait(pause)
                    pause = min(LONGEST_PAUSE, pause * 1.5)
        finally:
            self.close()

    def turn(self) -> tuple[int, Exception | None] | None:
        """Publish one batch; how many were confirmed, and what went wrong with the others.

        None while another process leads.
        """
        try:
            if not self._leader.leads and not self._leader.lead():
                return None
            return self._step()
        except psycopg.Error as raised:
            self._leader.resign()
            return 0, raised

    def close(self) -> None:
        """Give back the lead and the connection to the broker."""
        self._publisher.close()
        self._leader.resign()

    def _step(self) -> tuple[int, Exception | None]:
        connection = self._leader.connection
        rows = self._rows(connection)
        if not rows:
            return 0, None
        positions = {str(row[1]): (row[0], row[2]) for row in rows}
        crash.point("relay.before_publish")
        outcome = self._publish(rows)
        crash.point("relay.after_confirm")
        if outcome.confirmed:
            connection.execute(
                "DELETE FROM outbox WHERE position = ANY(%s)", ([positions[i][0] for i in outcome.confirmed],)
            )
            for type_, count in Counter(positions[identity][1] for identity in outcome.confirmed).items():
                self._holds.release(type_)
                EVENTS_PUBLISHED.labels(type_).inc(count)
            log.info("relay.published", count=len(outcome.confirmed))
        for type_ in {positions[identity][1] for identity in outcome.refused}:
            LOOP_ERRORS.labels(self.name).inc()
            log.warning("relay.refused", type=type_, seconds=self._holds.hold(type_))
        return len(outcome.confirmed), outcome.error

    def _rows(self, connection: psycopg.Connection) -> list[tuple[Any, ...]]:
        """The next batch of what is not held back, and one event of each type whose pause is over."""
        rows = connection.execute(_NEXT, (self._holds.held, BATCH)).fetchall()
        for type_ in self._holds.due():
            tried = connection.execute(_FIRST_OF, (type_, 1)).fetchall()
            if not tried:
                self._holds.release(type_)
            rows += tried
        return rows

    def _publish(self, rows: list[tuple[Any, ...]]) -> Outcome:
        spans = {str(row[1]): self._span(row) for row in rows}
        messages = [self._message(row, spans[str(row[1])].traceparent) for row in rows]
        outcome = self._publisher.publish(topology.EVENTS, messages)
        for identity, span in spans.items():
            if identity not in outcome.confirmed:
                span.fail("refused" if identity in outcome.refused else type(outcome.error).__name__)
            span.end()
        return outcome

    def _span(self, row: tuple[Any, ...]) -> tracing.Span:
        _, identity, type_, *_, cause = row
        parent, link = (None, cause) if self._late else (cause, None)
        key = routing_key(type_)
        return tracing.publishing(topology.EVENTS, key, str(identity), parent=parent, linked_to=link)

    def _message(self, row: tuple[Any, ...], traceparent: str | None) -> Message:
        _, identity, type_, subject, version, time_, data, request_id, _ = row
        event = Event(id=identity, type=type_, subject=subject, version=version, time=time_, data=data)
        return message_of(event, service=self._service, request_id=request_id, traceparent=traceparent)

    def _keep_alive(self) -> None:
        if time.monotonic() - self._kept_alive >= 1:
            self._kept_alive = time.monotonic()
            self._publisher.keep_alive()
