"""A broker in memory: the topology of :mod:`espace.bus.topology` as RabbitMQ keeps it, without a network.

What it does and what it refuses is held by ``test_broker.py``, which asks RabbitMQ the same.
"""

import re
from collections import deque
from copy import copy
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import pika

from espace.bus import topology


class Taken(Enum):
    """What became of a message that was published."""

    KEPT = "every queue it is for has it"
    REFUSED = "a queue it is for is full"
    NOWHERE = "no queue is for it"


@dataclass(eq=False)
class Letter:
    """A message in one queue. ``given_back`` is how often it came back from a reader; seconds of the broker's
    clock say when its wait is over.
    """

    body: bytes
    properties: Any
    given_back: int = 0
    over_at: float | None = None


@dataclass
class Queue:
    """Letters that wait, oldest first; ``in_hand`` are with readers."""

    name: str
    arguments: dict[str, Any]
    ready: deque[Letter] = field(default_factory=deque)
    in_hand: int = 0


class Broker:
    """Exchanges, queues, bindings and limits. Its clock stands still until :meth:`advance`."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.events: list[tuple[str, bytes, Any]] = []
        """Key, body and properties of whatever was published to the events' exchange, in its order."""
        self.queues = {queue.name: Queue(queue.name, queue.arguments) for queue in topology.queues()}
        self._exchanges = {exchange.name: exchange for exchange in topology.exchanges()}
        self._bindings = topology.bindings()
        self._limited: dict[str, dict[str, int]] = {}

    def limit(self, name: str, limits: dict[str, int]) -> None:
        """Other limits for a queue, as an operator's policy would set them."""
        self._limited[name] = limits

    def unlimit(self) -> None:
        """Back to the limits of the topology."""
        self._limited.clear()

    def advance(self, seconds: float) -> None:
        """Let time pass: whose wait is over goes on, oldest first, as far as there is room."""
        self.seconds += seconds
        for queue in self.queues.values():
            while queue.ready and (over := queue.ready[0].over_at) is not None and over <= self.seconds:
                if not self._bury(queue, queue.ready[0], "expired"):
                    break
                queue.ready.popleft()

    @property
    def at_rest(self) -> bool:
        """Whether nothing waits but dead letters and what nobody reads."""
        return not any(
            queue.ready or queue.in_hand
            for name, queue in self.queues.items()
            if name != topology.UNROUTABLE and not name.endswith(".dead")
        )

    def publish(self, exchange: str, key: str, body: bytes, properties: Any) -> Taken:
        """Put a message into every queue it is for; one that is full refuses, the others have it."""
        if exchange == topology.EVENTS:
            self.events.append((key, body, properties))
        targets = self._route(exchange, key)
        room = [name for name in targets if self._has_room(name)]
        for name in room:
            wait = getattr(properties, "expiration", None)
            over_at = self.seconds + int(wait) / 1000 if wait is not None else None
            self.queues[name].ready.append(Letter(body, properties, over_at=over_at))
        if not targets:
            return Taken.NOWHERE
        return Taken.KEPT if room == targets else Taken.REFUSED

    def give_back(self, queue: Queue, letter: Letter) -> None:
        """A reader did not settle it: first in its queue again, or dead when that happened too often."""
        letter.given_back += 1
        limit = queue.arguments.get("x-delivery-limit", self._limits(queue.name).get("delivery-limit"))
        if limit is not None and letter.given_back > limit and self._bury(queue, letter, "delivery_limit"):
            return
        queue.ready.appendleft(letter)

    def reject(self, queue: Queue, letter: Letter) -> None:
        """A reader does not want it."""
        if not self._bury(queue, letter, "rejected"):
            queue.ready.appendleft(letter)

    def _bury(self, queue: Queue, letter: Letter, reason: str) -> bool:
        """Dead-letter at least once: whether it has gone on, or there was nowhere to go."""
        target = queue.arguments.get("x-dead-letter-exchange")
        if target is None:
            return True
        properties = copy(letter.properties)
        deaths = list((properties.headers or {}).get("x-death", []))
        properties.headers = {
            **(properties.headers or {}),
            "x-death": [{"reason": reason, "queue": queue.name}, *deaths],
        }
        properties.expiration = None
        key = queue.arguments["x-dead-letter-routing-key"]
        return self.publish(target, key, letter.body, properties) is Taken.KEPT

    def _route(self, exchange: str, key: str) -> list[str]:
        if exchange == "":
            return [key] if key in self.queues else []
        matched = [
            binding for binding in self._bindings if binding.source == exchange and self._fits(binding, key)
        ]
        if not matched and (other := self._exchanges[exchange].arguments.get("alternate-exchange")):
            return self._route(other, key)
        found: dict[str, None] = {}
        for binding in matched:
            further = [binding.destination]
            if binding.kind == "exchange":
                further = self._route(binding.destination, key)
            found |= dict.fromkeys(further)
        return list(found)

    def _fits(self, binding: topology.Binding, key: str) -> bool:
        """No binding of ours has a pattern: a topic exchange is then a direct one."""
        return self._exchanges[binding.source].type == "fanout" or binding.key == key

    def _has_room(self, name: str) -> bool:
        return bool(len(self.queues[name].ready) < self._limits(name).get("max-length", float("inf")))

    def _limits(self, name: str) -> dict[str, Any]:
        matching = (limits for pattern, limits in topology.policies().values() if re.search(pattern, name))
        return self._limited.get(name) or next(matching, {})


def properties_of(message_id: str, type_: str) -> Any:
    """What a publisher of ours says of a message."""
    return pika.BasicProperties(delivery_mode=2, message_id=message_id, type=type_)
