"""Publishing in batches with pipelined confirms: kombu's connection, a raw channel of py-amqp.

The frames of many messages are one write. ``Channel.basic_publish`` writes each message by itself and looks
for news before each, which took more time than all the rest; amqp is pinned for what stands in its place.
"""

import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import amqp
from amqp.exceptions import AMQPError
from amqp.method_framing import frame_writer
from amqp.serialization import dumps
from kombu.connection import Connection

from espace.bus import topology
from espace.bus.event import CONTENT_TYPE, Event, encode, envelope, routing_key
from espace.errors import EspaceError
from espace.telemetry import get_logger

log = get_logger()
CONFIRM_SECONDS = 10.0
BROKER_ERRORS = (OSError, AMQPError)
WRITE_BYTES = 65_536
_PUBLISH_ARGUMENTS = "Bssbb"


class NotConfirmed(EspaceError):
    """The broker did not take all of a batch: returned, blocked, or silent for too long."""


@dataclass(frozen=True)
class Message:
    """What is published; ``id`` is unique within a batch."""

    id: str
    key: str
    type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def message_of(
    event: Event, *, service: str, request_id: str | None = None, traceparent: str | None = None
) -> Message:
    """``event`` as ``service`` publishes it."""
    document = envelope(event, service=service, request_id=request_id, traceparent=traceparent)
    return Message(str(event.id), routing_key(event.type), event.type, encode(document))


@dataclass(frozen=True)
class Outcome:
    """What became of a batch: the ids the broker has on disk, those it refused (a queue is full), and the
    error for which others are neither.
    """

    confirmed: frozenset[str]
    refused: frozenset[str]
    error: Exception | None = None


class _Frames:
    """Stands where py-amqp has its transport: what is written is kept, to be sent together."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def __len__(self) -> int:
        return len(self._kept)

    def write(self, frames: bytes) -> None:
        """Keep them."""
        self._kept += frames

    def take(self) -> bytes:
        """Everything kept, and keep it no more."""
        kept = bytes(self._kept)
        self._kept.clear()
        return kept


class Publisher:
    """One connection to the broker, opened at need, dropped at the first error. Not for several threads."""

    def __init__(self, amqp_url: str, name: str, *, confirm_seconds: float = CONFIRM_SECONDS) -> None:
        self._url = amqp_url
        self._name = name
        self._confirm_seconds = confirm_seconds
        self._connection: Any = None
        self._channel: Any = None
        self._frames = _Frames()
        self._write_frames: Any = None
        self._blocked = False
        self._published = 0
        self._open: dict[int, str] = {}
        self._refused: set[str] = set()
        self._returned: set[str] = set()
        self._confirmed: set[str] = set()

    @property
    def is_open(self) -> bool:
        """Whether there is a connection."""
        return self._connection is not None

    def publish(self, exchange: str, batch: Sequence[Message]) -> Outcome:
        """Publish persistently and wait for the confirms; an error or a refusal ends the connection."""
        self._open.clear()
        self._refused, self._returned, self._confirmed = set(), set(), set()
        error: Exception | None = None
        try:
            self._connect()
            for message in batch:
                self._put(exchange, message)
                if len(self._frames) >= WRITE_BYTES:
                    self._send()
            self._send()
            self._drain()
        except (*BROKER_ERRORS, NotConfirmed) as raised:
            error = raised
        if error or self._refused:
            self.close()  # a channel goes on refusing for a queue whose limit was raised meanwhile
        return Outcome(frozenset(self._confirmed), frozenset(self._refused), error)

    def declare(self, queue: topology.Queue, exchange: str) -> int:
        """Declare a queue, bound to ``exchange`` under its own name; how many messages wait in it.

        Raises:
            one of ``BROKER_ERRORS``; the connection is ended.
        """
        try:
            self._connect()
            found = self._channel.queue_declare(
                queue.name, durable=True, auto_delete=False, arguments=queue.arguments
            )
            self._channel.queue_bind(queue.name, exchange, queue.name)
        except BROKER_ERRORS:
            self.close()
            raise
        return int(found.message_count)

    def delete(self, queue: topology.Queue) -> None:
        """Delete a queue with what it holds; harmless when it is not there."""
        self._connect()
        self._channel.queue_delete(queue.name)

    def keep_alive(self) -> None:
        """Answer heartbeats and read what the broker says; call it each second while idle."""
        if self._connection is None:
            return
        try:
            self._connection.heartbeat_check()
            self._connection.drain_events(timeout=0)
        except TimeoutError:
            pass
        except BROKER_ERRORS as error:
            log.warning("relay.interrupted", reason=error)
            self.close()

    def close(self) -> None:
        """Drop the connection, whatever its state."""
        if self._connection is None:
            return
        try:
            transport = self._connection.connection.transport
            if transport is not None:
                transport.sock.settimeout(1)
            self._connection.release()
        except (*BROKER_ERRORS, AttributeError):
            self._connection.collect(socket_timeout=0.1)
        self._connection = self._channel = None

    def _connect(self) -> None:
        if self._connection is not None:
            return
        self._blocked = False
        self._connection = Connection(  # type: ignore[no-untyped-call]
            self._url,
            heartbeat=20,
            connect_timeout=5,
            transport_options={
                "confirm_publish": False,
                "read_timeout": 10,
                "write_timeout": 10,
                "socket_settings": {socket.TCP_USER_TIMEOUT: 15_000},
                "client_properties": {"connection_name": self._name},
                "on_blocked": self._on_blocked,
                "on_unblocked": self._on_unblocked,
            },
        )
        self._connection.connect()
        self._channel = self._connection.channel()
        declare(self._channel)
        self._channel.confirm_select()
        self._frames = _Frames()
        self._write_frames = frame_writer(self._connection.connection, self._frames)
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)
        self._published = 0

    def _put(self, exchange: str, message: Message) -> None:
        """Have it sent with the next write, persistent and mandatory."""
        self._published += 1
        self._open[self._published] = message.id
        content = amqp.Message(
            message.body,
            delivery_mode=2,
            message_id=message.id,
            type=message.type,
            content_type=CONTENT_TYPE,
            content_encoding="utf-8",
            **({"application_headers": dict(message.headers)} if message.headers else {}),
        )
        arguments = dumps(_PUBLISH_ARGUMENTS, (0, exchange, message.key, True, False))
        self._write_frames(1, self._channel.channel_id, amqp.spec.Basic.Publish, arguments, content)

    def _send(self) -> None:
        """Write what is kept; then hear what the broker says, should it block publishers."""
        self._connection.connection.transport.write(self._frames.take())
        try:
            while not self._blocked:
                self._connection.drain_events(timeout=0)
        except TimeoutError:
            return
        raise NotConfirmed("the broker blocks publishers")

    def _drain(self) -> None:
        deadline = time.monotonic() + self._confirm_seconds
        while self._open:
            left = deadline - time.monotonic()
            if left <= 0:
                raise NotConfirmed(f"{len(self._open)} confirms are missing after {self._confirm_seconds} s")
            if self._blocked:
                raise NotConfirmed("the broker blocks publishers")
            try:
                self._connection.drain_events(timeout=left)
            except TimeoutError:
                continue
        if self._returned:
            raise NotConfirmed(f"{len(self._returned)} messages have no queue")

    def _on_ack(self, tag: int, multiple: bool) -> None:
        for identity in self._settle(tag, multiple):
            if identity not in self._returned:
                self._confirmed.add(identity)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._refused.update(self._settle(tag, multiple))

    def _settle(self, tag: int, multiple: bool) -> list[str]:
        if not multiple:
            return [self._open.pop(tag)] if tag in self._open else []
        settled = list(takewhile(lambda each: each <= tag, self._open))  # in the order of their tags
        return [self._open.pop(each) for each in settled]

    def _on_return(self, error: Exception, exchange: str, _key: str, message: amqp.Message) -> None:
        # Comes before its ack.
        if not topology.may_be_unread(exchange, message.properties.get("type", "")):
            self._returned.add(message.properties["message_id"])
            log.warning("relay.interrupted", reason=error)

    def _on_blocked(self, _reason: str) -> None:
        self._blocked = True
        log.warning("relay.blocked")

    def _on_unblocked(self) -> None:
        self._blocked = False
        log.info("relay.unblocked")


def declare(channel: Any) -> None:
    """Declare the whole topology on a py-amqp channel: a publisher must find every queue bound."""
    for exchange in topology.exchanges():
        channel.exchange_declare(
            exchange.name, exchange.type, durable=True, auto_delete=False, arguments=exchange.arguments
        )
    for queue in topology.queues():
        channel.queue_declare(queue.name, durable=True, auto_delete=False, arguments=queue.arguments)
    for binding in topology.bindings():
        bind = channel.queue_bind if binding.kind == "queue" else channel.exchange_bind
        bind(binding.destination, binding.source, binding.key)
