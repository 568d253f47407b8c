"""One service's consumer without threads: its own handling, one delivery at a time."""

import threading
from collections.abc import Callable, Mapping, Sequence

import pika.exceptions

from espace.bus import topology
from espace.bus.copies import Copies
from espace.bus.handling import Delivery, Handled, Handler, Handling
from espace.bus.settling import settle
from espace.db import Database
from tests.simulation.broker import Broker
from tests.simulation.lines import MemoryChannel

PREFETCH = 20
"""As the real one has it: among so many the pool of handlers may finish any one first."""


class _Over(threading.Event):
    """The session's end; it comes while a handler has waited so often for its database."""

    def __init__(self, patience: int) -> None:
        super().__init__()
        self._patience = patience

    def wait(self, timeout: float | None = None) -> bool:
        """No time passes here."""
        self._patience -= 1
        if self._patience < 0:
            self.set()
        return self.is_set()


class Reader:
    """Takes what its queue has, up to the prefetch, and handles one of it when told to."""

    def __init__(
        self, service: str, handlers: Mapping[str, Handler], database: Database, broker: Broker
    ) -> None:
        assert set(handlers) == topology.SUBSCRIPTIONS[service]
        self.service = service
        self._broker = broker
        self._handling = Handling(handlers, database, hold_seconds=60)
        self._in_hand: list[Delivery] = []
        self._connect()

    @property
    def idle(self) -> bool:
        """Whether there is nothing to handle."""
        return not (self._in_hand or self._broker.queues[topology.queue(self.service)].ready)

    def lose(self) -> None:
        """Lose the connection, and make a new one."""
        self._channel.lose()
        self._connect()

    def handle(
        self, choose: Callable[[Sequence[Delivery]], Delivery], *, patience: int = 1, lost: bool = False
    ) -> str:
        """Handle one delivery; what became of it.

        Args:
            choose: which of those in hand.
            patience: how often it waits for its database before it gives the delivery back.
            lost: lose the connection between the work and the acknowledgement.
        """
        self._fill()
        delivery = choose(self._in_hand)
        self._in_hand.remove(delivery)
        outcome = self._handling.handle(delivery, _Over(patience))
        label = "duplicate" if isinstance(outcome, Handled) and outcome.duplicate else outcome.label
        told = f"{delivery.properties.type} {delivery.properties.message_id} {label}"
        try:
            if lost:
                self._channel.lose()
            settle(self._channel, self._copies, delivery, outcome)
        except pika.exceptions.AMQPError as error:
            self.lose()
            return f"{told}, and then {type(error).__name__}"
        return told

    def _fill(self) -> None:
        while len(self._in_hand) < PREFETCH:
            method, properties, body = self._channel.basic_get(topology.queue(self.service))
            if method is None:
                return
            self._in_hand.append(Delivery(method.delivery_tag, properties, body))

    def _connect(self) -> None:
        self._in_hand = []
        self._channel = MemoryChannel(self._broker)
        self._copies = Copies(self._channel, self.service, topology.RETRY_SECONDS)
