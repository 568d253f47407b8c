"""What the broker is told of a delivery, once it is known what became of it."""

from typing import Any, Protocol

from espace.bus.copies import Copies
from espace.bus.handling import Abandoned, Delivery, Outcome, Parked, Retried


class Channel(Protocol):
    """Of pika's channel, what settles a delivery."""

    def basic_ack(self, delivery_tag: int) -> Any: ...
    def basic_nack(self, delivery_tag: int, *, requeue: bool) -> Any: ...


def settle(channel: Channel, copies: Copies, delivery: Delivery, outcome: Outcome) -> None:
    """Acknowledge, after its copy is confirmed where there has to be one; give back what was abandoned.

    Raises:
        pika.exceptions.AMQPError: the broker does not know of it, and delivers it again.
    """
    if isinstance(outcome, Abandoned):
        channel.basic_nack(delivery.tag, requeue=True)  # unlike a reject it is no failed try
        return
    if isinstance(outcome, Retried):
        copies.retry(delivery, outcome)
    elif isinstance(outcome, Parked):
        copies.park(delivery, outcome)
    channel.basic_ack(delivery.tag)
