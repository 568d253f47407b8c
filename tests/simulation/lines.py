"""Connections to the broker in memory, with the words of the real ones: our publisher's and pika's."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pika
import pika.exceptions

from espace.bus import topology
from espace.bus.publisher import Message, NotConfirmed, Outcome
from tests.simulation.broker import Broker, Letter, Queue, Taken, properties_of


class MemoryPublisher:
    """As :class:`espace.bus.publisher.Publisher`."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._breaks: tuple[int, int] | None = None

    def break_at(self, sent: int, heard: int) -> None:
        """Lose the connection in the next batch: so many reach the broker, of so many we hear it."""
        self._breaks = sent, heard

    def sound(self) -> None:
        """Lose none."""
        self._breaks = None

    def publish(self, exchange: str, batch: Sequence[Message]) -> Outcome:
        """Publish and say what became of each."""
        sent, heard = self._breaks or (len(batch), len(batch))
        broken, self._breaks = self._breaks is not None, None
        became = {
            message.id: self._broker.publish(
                exchange, message.key, message.body, properties_of(message.id, message.type)
            )
            for message in batch[:sent]
        }
        known = list(batch[:sent][:heard])
        nowhere = {
            m.id
            for m in known
            if became[m.id] is Taken.NOWHERE and not topology.may_be_unread(exchange, m.type)
        }
        refused = {m.id for m in known if became[m.id] is Taken.REFUSED}
        error: Exception | None = None
        if broken:
            error = ConnectionResetError("the connection was lost")
        elif nowhere:
            error = NotConfirmed(f"{len(nowhere)} messages have no queue")
        return Outcome(frozenset({m.id for m in known} - nowhere - refused), frozenset(refused), error)

    def keep_alive(self) -> None:
        """Nothing goes on by itself here."""

    def close(self) -> None:
        """There is nothing to close."""


@dataclass(eq=False)
class _InHand:
    queue: Queue
    letter: Letter


class MemoryChannel:
    """As pika's ``BlockingChannel``, as far as ours is used: for readers, and for what publishes copies."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._in_hand: dict[int, _InHand] = {}
        self._tag = 0
        self._lost = False

    def lose(self) -> None:
        """The connection is gone: what was not settled is delivered again, in its order."""
        self._lost = True
        for held in reversed(self._in_hand.values()):
            held.queue.in_hand -= 1
            self._broker.give_back(held.queue, held.letter)
        self._in_hand.clear()

    def confirm_delivery(self) -> None:
        """Each publishing is confirmed."""

    def basic_publish(
        self, exchange: str, routing_key: str, body: bytes, properties: Any, *, mandatory: bool
    ) -> None:
        """Publish; returns when it is confirmed."""
        self._check()
        taken = self._broker.publish(exchange, routing_key, body, properties)
        if taken is Taken.REFUSED:
            raise pika.exceptions.NackError([])
        if taken is Taken.NOWHERE and mandatory:
            raise pika.exceptions.UnroutableError([])

    def basic_get(self, queue: str) -> tuple[Any, Any, bytes]:
        """The oldest letter, which is then in hand; or nothing."""
        self._check()
        found = self._broker.queues[queue]
        if not found.ready:
            return None, None, b""
        letter = found.ready.popleft()
        found.in_hand += 1
        self._tag += 1
        self._in_hand[self._tag] = _InHand(found, letter)
        method = SimpleNamespace(delivery_tag=self._tag, redelivered=letter.given_back > 0)
        return method, letter.properties, letter.body

    def basic_ack(self, delivery_tag: int) -> None:
        """It is done."""
        self._settled(delivery_tag)

    def basic_nack(self, delivery_tag: int, *, requeue: bool) -> None:
        """It is not done: to be delivered again, or dead."""
        held = self._settled(delivery_tag)
        (self._broker.give_back if requeue else self._broker.reject)(held.queue, held.letter)

    def queue_declare(self, queue: str, *, passive: bool) -> Any:
        """How many letters wait."""
        self._check()
        waiting = len(self._broker.queues[queue].ready)
        return SimpleNamespace(method=SimpleNamespace(message_count=waiting))

    def _settled(self, tag: int) -> _InHand:
        self._check()
        held = self._in_hand.pop(tag)
        held.queue.in_hand -= 1
        return held

    def _check(self) -> None:
        if self._lost:
            raise pika.exceptions.ChannelWrongStateError("the connection was lost")
