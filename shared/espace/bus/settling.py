"""What the broker is told of a delivery, once it is known what became of it."""

import math
from collections.abc import Collection
from typing import Any, Protocol

from pika.adapters.blocking_connection import BlockingChannel

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


def acknowledge(channel: BlockingChannel, handled: Collection[int], in_hand: Collection[int]) -> None:
    """Acknowledge what was handled, in one frame as far as nothing before it is still in hand.

    Raises:
        pika.exceptions.AMQPError: as above; the inbox knows them.
    """
    oldest = min(in_hand, default=math.inf)
    if before := [tag for tag in handled if tag < oldest]:
        channel.basic_ack(max(before), multiple=True)
    for tag in handled:
        if tag > oldest:
            channel.basic_ack(tag)
