"""Ways to publish to a quorum queue that are not ours; each tells messages per second, all of them confirmed
except where it says otherwise.
"""

import time
import uuid
from typing import Any

import pika
from kombu.connection import Connection

from espace.bus.event import CONTENT_TYPE

BODY = b"x" * 700
WINDOW = 1000
CELERY_BODY = "x" * 620
"""With the frame that Celery puts around an argument, about 700 bytes."""


class Pipelined:
    """pika without a blocking wait: ``WINDOW`` messages under way, a new one for each that is confirmed."""

    def __init__(self, url: str, exchange: str, key: str, count: int) -> None:
        self._exchange, self._key, self._count = exchange, key, count
        self._sent = self._confirmed = self._refused = 0
        self._began = self._ended = 0.0
        self._channel: Any = None
        self._properties = pika.BasicProperties(
            delivery_mode=2, content_type=CONTENT_TYPE, message_id=str(uuid.uuid4())
        )
        self._connection = pika.SelectConnection(
            pika.URLParameters(url), on_open_callback=lambda c: c.channel(on_open_callback=self._opened)
        )

    def rate(self) -> float:
        """Publish everything."""
        self._connection.ioloop.start()
        if self._confirmed != self._count or self._refused:
            raise RuntimeError(f"{self._confirmed} of {self._count} confirmed, {self._refused} refused")
        return self._count / (self._ended - self._began)

    def _opened(self, channel: Any) -> None:
        self._channel = channel
        channel.confirm_delivery(self._on_confirm, callback=lambda _: self._begin())

    def _begin(self) -> None:
        self._began = time.monotonic()
        self._top_up()

    def _top_up(self) -> None:
        while self._sent < self._count and self._sent - self._confirmed < WINDOW:
            self._channel.basic_publish(self._exchange, self._key, BODY, self._properties, mandatory=True)
            self._sent += 1

    def _on_confirm(self, frame: Any) -> None:
        if isinstance(frame.method, pika.spec.Basic.Nack):
            self._refused += 1
        self._confirmed = frame.method.delivery_tag if frame.method.multiple else max(self._confirmed + 1, 1)
        if self._confirmed >= self._count:
            self._ended = time.monotonic()
            self._connection.close()
            self._connection.ioloop.stop()
        else:
            self._top_up()


def one_by_one(url: str, exchange: str, key: str, count: int) -> float:
    """kombu's producer, waiting for each confirm."""
    connect: Any = Connection
    with connect(url, transport_options={"confirm_publish": True}) as connection:
        producer: Any = connection.Producer()
        began = time.monotonic()
        for _ in range(count):
            producer.publish(BODY, exchange=exchange, routing_key=key, delivery_mode=2, mandatory=True)
        return count / (time.monotonic() - began)


def delayed(task: Any, count: int) -> float:
    """Celery's ``delay`` as a program calls it; whether it waits for confirms is the app's setting."""
    task.delay(CELERY_BODY)  # connects and declares
    began = time.monotonic()
    for _ in range(count):
        task.delay(CELERY_BODY)
    return count / (time.monotonic() - began)
