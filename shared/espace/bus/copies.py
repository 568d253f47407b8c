"""Copies of a message for later: into a retry tier or among the dead letters, confirmed before the ack."""

from collections.abc import Sequence
from copy import copy
from typing import Any, Protocol

from espace.bus import topology
from espace.bus.event import rfc3339
from espace.bus.handling import Delivery, Parked, Retried
from espace.clock import utcnow
from espace.telemetry import get_logger

log = get_logger()
UNEXPECTED_TRIES = 3

TRIES = "x-espace-tries"
REASON = "x-espace-reason"
ERROR = "x-espace-error"
PARKED_AT = "x-espace-parked-at"


class Confirming(Protocol):
    """Of pika's channel, what publishes a message and waits for its confirm."""

    def confirm_delivery(self) -> Any: ...
    def basic_publish(
        self, exchange: str, routing_key: str, body: bytes, properties: Any, *, mandatory: bool
    ) -> Any: ...


class Copies:
    """Publishes copies on a channel of its own and waits for the broker's confirm of each.

    Raises (from every method):
        pika.exceptions.AMQPError: the copy is not confirmed, so the original must not be acknowledged.
    """

    def __init__(self, channel: Confirming, service: str, retry_seconds: Sequence[float]) -> None:
        self._channel = channel
        self._channel.confirm_delivery()
        self._service = service
        self._retry_seconds = retry_seconds

    def retry(self, delivery: Delivery, outcome: Retried) -> None:
        """Into the next tier; after the last one, among the dead letters."""
        tries = int((delivery.properties.headers or {}).get(TRIES, 0)) + 1
        tiers = len(self._retry_seconds)
        if tries > (min(UNEXPECTED_TRIES, tiers) if outcome.unexpected else tiers):
            reason = "unexpected" if outcome.unexpected else "tries exhausted"
            log.error("consumer.parked", reason=reason, event_id=delivery.properties.message_id)
            self.park(delivery, Parked(reason, outcome.error))
            return
        self._publish(
            "",
            topology.retry_queue(self._service, tries),
            delivery,
            {TRIES: tries, ERROR: outcome.error},
            expiration=str(int(self._retry_seconds[tries - 1] * 1000)),
        )

    def park(self, delivery: Delivery, outcome: Parked) -> None:
        """Among the dead letters, with the reason."""
        headers = {REASON: outcome.reason, ERROR: outcome.error, PARKED_AT: rfc3339(utcnow())}
        self._publish(topology.DEAD, self._service, delivery, headers)

    def replay(self, delivery: Delivery) -> None:
        """Back into the service's queue, with all its tries before it."""
        self._publish("", topology.queue(self._service), delivery, {TRIES: 0})

    def _publish(
        self,
        exchange: str,
        key: str,
        delivery: Delivery,
        headers: dict[str, Any],
        expiration: str | None = None,
    ) -> None:
        properties = copy(delivery.properties)
        kept = {k: v for k, v in (properties.headers or {}).items() if not k.startswith("x-")}
        tries = (properties.headers or {}).get(TRIES, 0)
        properties.headers = {**kept, TRIES: tries, **{k: _short(v) for k, v in headers.items()}}
        properties.expiration = expiration
        properties.delivery_mode = 2
        self._channel.basic_publish(exchange, key, delivery.body, properties, mandatory=True)


def _short(value: Any) -> Any:
    return value[:500] if isinstance(value, str) else value
