"""The consumer: one thread owns the connection, a bounded pool handles, acknowledgements come back to it.

What becomes of an event is told by the exception its handler raises:

- none: committed together with its inbox row, then acknowledged;
- ``TransientError`` (and lock or statement time-outs): copied to the next retry tier, then acknowledged;
  after the last tier it is parked;
- ``PermanentError``: parked among the dead letters;
- ``DependencyDown``, or a database that is away: kept in hand and tried again, which stops the consumption
  without spending tries. Before the broker takes it back (after 30 minutes), it is given back with all that
  is in hand, once, and nothing is taken until the database answers;
- anything else: a fault of ours, tried again through the first tiers, then parked.

Few events are handled each by itself. When many wait, a thread takes its share of them into one transaction;
if one of these fails, each is handled by itself after all.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pika
import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel
from sqlalchemy.exc import SQLAlchemyError

from espace.bus import topology
from espace.bus.copies import Copies
from espace.bus.event import Incoming
from espace.bus.handling import Abandoned, Delivery, Handled, Handler, Handling, Outcome
from espace.bus.settling import acknowledge, settle
from espace.db import Database
from espace.telemetry import get_logger
from espace.telemetry.metrics import (
    CONSUMER_DURATION,
    CONSUMER_IN_HAND,
    CONSUMER_OLDEST_WORK,
    CONSUMER_REDELIVERED,
    DEAD_LETTERS,
    LOOP_ERRORS,
)
from espace.worker import Stop, tick

__all__ = ["Consumer", "Handler", "Incoming"]

log = get_logger()
REPORT_SECONDS = 15.0
HOLD_SECONDS = 20 * 60.0
LONGEST_BACKOFF = 15.0
PREFETCH = 50
"""Events in hand for each thread."""
CROWD = 4
"""So many waiting for each thread are handled together."""
Settlement = tuple[Delivery, Outcome]
"""A delivery with what became of it, on its way back to the connection's thread."""


class Consumer:
    """One service's consumer.

    Args:
        handlers: exactly the types the service is subscribed to, each with the command it calls.
        concurrency: how many events are handled at once; the database's pool must offer as many.

    Raises:
        ValueError: a subscribed type has no handler, or the reverse.
    """

    name = "consume"

    def __init__(
        self,
        service: str,
        handlers: Mapping[str, Handler],
        database: Database,
        amqp_url: str,
        concurrency: int = 4,
        retry_seconds: Sequence[float] = topology.RETRY_SECONDS,
        hold_seconds: float = HOLD_SECONDS,
    ) -> None:
        odd = topology.SUBSCRIPTIONS[service] ^ set(handlers)
        if odd:
            raise ValueError(f"handlers and subscriptions of {service} differ: {', '.join(sorted(odd))}")
        self._service = service
        self._amqp_url = amqp_url
        self._concurrency = concurrency
        self._retry_seconds = retry_seconds
        self._database = database
        self._handling = Handling(handlers, database, hold_seconds)

    def run(self, stop: Stop) -> None:
        backoff = 0.5
        while not stop.is_set():
            self._await_database(stop)
            started = time.monotonic()
            try:
                _Session(
                    self._service, self._handling, self._amqp_url, self._concurrency, self._retry_seconds
                ).run(stop)
            except (pika.exceptions.AMQPError, OSError) as error:
                LOOP_ERRORS.labels(self.name).inc()
                log.warning("consumer.interrupted", reason=error)
                if time.monotonic() - started > LONGEST_BACKOFF:
                    backoff = 0.5
                stop.wait(backoff)
                backoff = min(LONGEST_BACKOFF, backoff * 2)

    def _await_database(self, stop: Stop) -> None:
        """Take no event that would only have to be given back, which counts as a delivery."""
        pause = 0.5
        while not stop.is_set():
            tick(self.name)
            try:
                self._database.ping()
            except SQLAlchemyError as error:
                LOOP_ERRORS.labels(self.name).inc()
                log.warning("consumer.waiting", reason=error)
                stop.wait(pause)
                pause = min(LONGEST_BACKOFF, pause * 2)
            else:
                return


class _Session:
    """One connection's life. Whatever is in the pool when it ends is abandoned: the broker delivers again."""

    def __init__(
        self,
        service: str,
        handling: Handling,
        amqp_url: str,
        concurrency: int,
        retry_seconds: Sequence[float],
    ) -> None:
        self._service = service
        self._handling = handling
        self._parameters = pika.URLParameters(amqp_url)
        self._parameters.heartbeat = 20
        self._parameters.blocked_connection_timeout = 30
        self._parameters.socket_timeout = 5
        self._parameters.client_properties = {"connection_name": f"{service} consumer"}
        self._concurrency = concurrency
        self._retry_seconds = retry_seconds
        self._over = threading.Event()
        self._waiting: deque[Delivery] = deque()
        self._sharing = threading.Lock()
        self._settled: queue.SimpleQueue[Settlement] = queue.SimpleQueue()
        self._tag = ""
        self._in_hand: set[int] = set()
        self._working: dict[int, float] = {}
        self._reported = float("-inf")
        # Asked by whoever looks, not told by this thread: a handler that is stuck is seen all the same.
        CONSUMER_IN_HAND.labels(service).set_function(lambda: len(self._in_hand))
        CONSUMER_OLDEST_WORK.labels(service).set_function(self._oldest_work)

    def run(self, stop: Stop) -> None:
        connection = pika.BlockingConnection(self._parameters)
        pool = ThreadPoolExecutor(self._concurrency, thread_name_prefix="handler")
        try:
            channel = connection.channel()
            declare(channel)
            copies = Copies(connection.channel(), self._service, self._retry_seconds)
            channel.basic_qos(prefetch_count=PREFETCH * self._concurrency)
            self._tag = channel.basic_consume(
                topology.queue(self._service), self._on_message(connection, pool)
            )
            log.info("consumer.connected")
            while not (stop.is_set() or self._over.is_set()):
                self._turn(connection, channel, copies)
            self._take_no_more(channel)
            while self._in_hand:
                self._turn(connection, channel, copies)
        finally:
            self._over.set()
            pool.shutdown(wait=True, cancel_futures=True)
            self._in_hand.clear()
            if connection.is_open:
                connection.close()

    def _take_no_more(self, channel: BlockingChannel) -> None:
        """What waits for a dependency gives up; what is being handled is finished."""
        if not self._over.is_set():
            channel.basic_cancel(self._tag)
            self._over.set()

    def _on_message(
        self, connection: pika.BlockingConnection, pool: ThreadPoolExecutor
    ) -> Callable[
        [BlockingChannel, pika.spec.Basic.Deliver, pika.BasicProperties, bytes],
        None,
    ]:
        def work() -> None:
            deliveries = self._share()
            if not deliveries:  # they went with others
                return
            started = time.monotonic()
            self._working.update(dict.fromkeys((delivery.tag for delivery in deliveries), started))
            outcomes = self._handling.handle_together(deliveries, self._over)
            took = (time.monotonic() - started) / len(deliveries)
            for delivery, outcome in zip(deliveries, outcomes, strict=True):
                del self._working[delivery.tag]
                CONSUMER_DURATION.labels(self._service, outcome.label).observe(took)
                self._settled.put((delivery, outcome))
            try:
                connection.add_callback_threadsafe(lambda: None)  # wakes the connection's thread
            except pika.exceptions.ConnectionWrongStateError:
                log.warning("consumer.stale_ack")

        def on_message(
            _channel: BlockingChannel,
            method: pika.spec.Basic.Deliver,
            properties: pika.BasicProperties,
            body: bytes,
        ) -> None:
            if method.redelivered:
                CONSUMER_REDELIVERED.labels(self._service).inc()
            self._in_hand.add(method.delivery_tag)
            self._waiting.append(Delivery(method.delivery_tag, properties, body))
            pool.submit(work)

        return on_message

    def _share(self) -> list[Delivery]:
        """What the calling thread handles together: one event while few wait, more when there is a crowd."""
        with self._sharing:
            waiting = len(self._waiting)
            each = waiting // self._concurrency
            return [self._waiting.popleft() for _ in range(each if each >= CROWD else min(1, waiting))]

    def _oldest_work(self) -> float:
        started = list(self._working.values())
        return time.monotonic() - min(started) if started else 0.0

    def _turn(self, connection: pika.BlockingConnection, channel: BlockingChannel, copies: Copies) -> None:
        tick(Consumer.name)
        connection.process_data_events(time_limit=0.5)
        handled = []
        while not self._settled.empty():
            delivery, outcome = self._settled.get()
            self._in_hand.remove(delivery.tag)
            if isinstance(outcome, Handled):
                handled.append(delivery.tag)
                continue
            if isinstance(outcome, Abandoned):
                self._take_no_more(channel)  # first, or the broker gives it to us again
            settle(channel, copies, delivery, outcome)
        acknowledge(channel, handled, self._in_hand)
        if time.monotonic() - self._reported > REPORT_SECONDS:
            self._reported = time.monotonic()
            waiting = channel.queue_declare(topology.dead_queue(self._service), passive=True)
            DEAD_LETTERS.labels(self._service).set(waiting.method.message_count)


def declare(channel: BlockingChannel) -> None:
    """Declare the whole topology on a pika channel."""
    for exchange in topology.exchanges():
        channel.exchange_declare(exchange.name, exchange.type, durable=True, arguments=exchange.arguments)
    for declared in topology.queues():
        channel.queue_declare(declared.name, durable=True, arguments=declared.arguments)
    for binding in topology.bindings():
        bind = channel.queue_bind if binding.kind == "queue" else channel.exchange_bind
        bind(binding.destination, binding.source, binding.key)
