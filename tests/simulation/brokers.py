"""The two brokers under one set of words: the one in memory, and RabbitMQ by our own clients."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import pika

from espace.bus.consumer import declare
from espace.bus.publisher import Publisher
from espace.bus.relay import Publishing
from espace_stack.testing.servers import limited
from tests.simulation.broker import Broker
from tests.simulation.lines import MemoryChannel, MemoryPublisher


class AnyBroker(Protocol):
    """What is asked of both."""

    def publisher(self) -> Publishing:
        """A relay's connection."""

    def channel(self) -> Any:
        """A reader's channel, on a connection of its own."""

    def lose(self, channel: Any) -> None:
        """End a channel's connection."""

    def limited(self, queue: str, limits: dict[str, int]) -> AbstractContextManager[None]:
        """Limits of a queue, while inside."""

    def wait(self, seconds: float) -> None:
        """Let the broker's time pass; the real one's passes by itself."""


class InMemory:
    """Ours."""

    def __init__(self) -> None:
        self._broker = Broker()

    def publisher(self) -> MemoryPublisher:
        return MemoryPublisher(self._broker)

    def channel(self) -> MemoryChannel:
        return MemoryChannel(self._broker)

    def lose(self, channel: MemoryChannel) -> None:
        channel.lose()

    @contextmanager
    def limited(self, queue: str, limits: dict[str, int]) -> Iterator[None]:
        self._broker.limit(queue, limits)
        yield
        self._broker.unlimit()

    def wait(self, seconds: float) -> None:
        self._broker.advance(seconds)


class RabbitMQ:
    """A virtual host of a real one."""

    def __init__(self, amqp_url: str, management: str) -> None:
        self._url, self._management = amqp_url, management
        self._open: list[Any] = []

    def publisher(self) -> Publisher:
        publisher = Publisher(self._url, "contract")
        self._open.append(publisher)
        return publisher

    def channel(self) -> Any:
        connection = pika.BlockingConnection(pika.URLParameters(self._url))
        self._open.append(connection)
        channel = connection.channel()
        declare(channel)
        return channel

    def lose(self, channel: Any) -> None:
        self._open.remove(channel.connection)
        channel.connection.close()

    def limited(self, queue: str, limits: dict[str, int]) -> AbstractContextManager[None]:
        return limited(self._url, self._management, queue, limits)

    def wait(self, seconds: float) -> None:
        """It does."""

    def close(self) -> None:
        for opened in self._open:
            opened.close()
