"""Publishing to a quorum queue: our batches with pipelined confirms against a confirm for each message."""

import time
import uuid
from typing import Any

from kombu.connection import Connection

from espace.bus.publisher import Message, Publisher

QUEUE = "bench"
BODY = b"x" * 700
BATCH = 500


def pipelined(url: str, batches: int = 6) -> float:
    """Our publisher."""
    _empty_queue(url)
    publisher = Publisher(url, "bench")
    began = time.monotonic()
    for _ in range(batches):
        batch = [Message(str(uuid.uuid4()), QUEUE, "bench", BODY) for _ in range(BATCH)]
        outcome = publisher.publish("", batch)
        if len(outcome.confirmed) != BATCH:
            raise RuntimeError(f"the broker took {len(outcome.confirmed)} of {BATCH}") from outcome.error
    rate = batches * BATCH / (time.monotonic() - began)
    publisher.close()
    return rate


def one_by_one(url: str, messages: int = 500) -> float:
    """kombu's producer, waiting for each confirm."""
    _empty_queue(url)
    connect: Any = Connection
    with connect(url, transport_options={"confirm_publish": True}) as connection:
        producer: Any = connection.Producer()
        began = time.monotonic()
        for _ in range(messages):
            producer.publish(BODY, routing_key=QUEUE, delivery_mode=2, mandatory=True)
        return messages / (time.monotonic() - began)


def _empty_queue(url: str) -> None:
    connect: Any = Connection
    with connect(url) as connection:
        channel: Any = connection.channel()
        channel.queue_declare(QUEUE, durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"})
        channel.queue_purge(QUEUE)
