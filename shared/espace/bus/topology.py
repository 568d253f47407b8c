"""Every name on the broker: exchanges, queues, bindings, limits. They exist here and nowhere else.

What gives a queue its meaning (type, where its dead letters go) is declared with it and never changes.
Limits are policies, which an operator can change: ``python -m espace.bus.topology`` prints the definitions
that carry them, for ``rabbitmqctl import_definitions`` or ``load_definitions``. Without the policies nothing
is lost; a queue is then only unlimited. Nothing here needs more than RabbitMQ 3.10.
"""

import json
import sys
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from espace.bus.event import routing_key

EVENTS: Final = "espace.events"
UNROUTABLE: Final = "espace.unroutable"
UNREAD: Final = "espace.unread"
DEAD: Final = "espace.dead"
OUTSIDE: Final = "espace.outside"

SUBSCRIPTIONS: Final = MappingProxyType(
    {
        "dossier": frozenset(
            {
                "be.espace.deadline.expired.v1",
                "be.espace.deadline.reminder_due.v1",
                "be.espace.document.scanned.v1",
            }
        ),
        "documents": frozenset(
            {"be.espace.dossier.submitted.v1", "be.espace.dossier.information_provided.v1"}
        ),
        "notifier": frozenset(
            {
                "be.espace.profile.email_confirmation_requested.v1",
                "be.espace.dossier.submitted.v1",
                "be.espace.dossier.information_requested.v1",
                "be.espace.dossier.information_provided.v1",
                "be.espace.dossier.information_request_lapsed.v1",
                "be.espace.dossier.reminder_due.v1",
            }
        ),
        "scheduler": frozenset(
            {"be.espace.dossier.deadline_set.v1", "be.espace.dossier.deadline_withdrawn.v1"}
        ),
    }
)
"""Service → the event types its queue is bound to."""

UNCONSUMED: Final = frozenset({"be.espace.profile.space_confirmed.v1", "be.espace.dossier.withdrawn.v1"})
"""Published, and nobody reads them yet: declared, so that the unroutable queue stays an alarm."""

OPEN: Final = MappingProxyType(
    {
        "dossier": frozenset(
            {
                "be.espace.dossier.submitted.v1",
                "be.espace.dossier.withdrawn.v1",
                "be.espace.dossier.information_requested.v1",
                "be.espace.dossier.information_provided.v1",
                "be.espace.dossier.information_request_lapsed.v1",
            }
        )
    }
)
"""Service → the event types that it tells outsiders who subscribe to them."""

OURS_ALONE: Final = frozenset({"citizen_id"})
"""Fields that would join what one person does: outsiders get a dossier's number and no more."""

OUTSIDER_QUOTA: Final = 50_000
"""How many messages an outsider may leave unread; what comes then waits in the owner's log."""

RETRY_SECONDS: Final = (1, 5, 30, 120, 600)
"""How long a message waits in each retry tier; carried by the message, so that it can change."""

_NEVER = 1_000_000_000  # a look at a dead letter must not use it up (RabbitMQ 4 stops at 20 by default)
_AT_LEAST_ONCE = {"x-dead-letter-strategy": "at-least-once", "x-overflow": "reject-publish"}


@dataclass(frozen=True)
class Exchange:
    """An exchange as it is declared."""

    name: str
    type: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Queue:
    """A queue as it is declared; always durable, always a quorum queue."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Binding:
    """A binding; ``kind`` says what the destination is: ``queue`` or ``exchange``."""

    source: str
    destination: str
    key: str
    kind: str = "queue"


def queue(service: str) -> str:
    """Where a service's events arrive."""
    return service


def retry_queue(service: str, tier: int) -> str:
    """Where events wait for another try; tiers count from 1."""
    return f"{service}.retry.{tier}"


def dead_queue(service: str) -> str:
    """Where events wait for a person."""
    return f"{service}.dead"


def may_be_unread(exchange: str, event_type: str) -> bool:
    """Whether it is right that a message has no queue: among us, where it is declared without reader."""
    return exchange == EVENTS and event_type in UNCONSUMED


def outsider_queue(name: str) -> Queue:
    """Where an outsider finds its events, in the exchange :data:`OUTSIDE` under the same name.

    It is declared when the outsider is let in and is nobody's dead-letter queue: what its reader refuses is
    given to it again.
    """
    return _quorum(f"outside.{name}", **{"x-overflow": "reject-publish", "x-delivery-limit": _NEVER})


def exchanges() -> list[Exchange]:
    """Every exchange."""
    return [
        Exchange(UNROUTABLE, "fanout"),
        Exchange(EVENTS, "topic", {"alternate-exchange": UNROUTABLE}),
        Exchange(UNREAD, "fanout"),
        Exchange(DEAD, "direct"),
        Exchange(OUTSIDE, "direct"),
    ]


def queues() -> list[Queue]:
    """Every queue."""
    found = [_quorum(UNROUTABLE)]
    for service in SUBSCRIPTIONS:
        found.append(_quorum(dead_queue(service), **{"x-delivery-limit": _NEVER}))
        found.append(_quorum(queue(service), **_dead_to(DEAD, service)))
        found.extend(
            _quorum(retry_queue(service, tier), **_dead_to("", queue(service)))
            for tier in range(1, len(RETRY_SECONDS) + 1)
        )
    return found


def bindings() -> list[Binding]:
    """Every binding."""
    found = [Binding(UNROUTABLE, UNROUTABLE, "")]
    found.extend(Binding(EVENTS, UNREAD, routing_key(type_), "exchange") for type_ in sorted(UNCONSUMED))
    for service, types in SUBSCRIPTIONS.items():
        found.append(Binding(DEAD, dead_queue(service), service))
        found.extend(Binding(EVENTS, queue(service), routing_key(type_)) for type_ in sorted(types))
    return found


def policies() -> dict[str, tuple[str, dict[str, Any]]]:
    """Policy name → (pattern of queue names, limits).

    A queue that is full refuses (the publisher keeps its event in the outbox); it never drops.
    """
    services = "|".join(sorted(SUBSCRIPTIONS))
    return {
        "espace-queues": (f"^({services})$", {"delivery-limit": 50, "max-length": 1_000_000}),
        "espace-retries": (rf"^({services})\.retry\.\d+$", {"max-length": 200_000}),
        "espace-outside": (r"^outside\.", {"max-length": 2 * OUTSIDER_QUOTA}),
        "espace-unroutable": (
            f"^{UNROUTABLE.replace('.', '[.]')}$",
            {"max-length": 200_000, "overflow": "reject-publish"},
        ),
    }


def definitions(vhost: str = "/") -> dict[str, Any]:
    """The whole topology with its policies, as RabbitMQ imports it."""
    return {
        "policies": [
            {
                "vhost": vhost,
                "name": name,
                "pattern": pattern,
                "apply-to": "queues",
                "priority": 10,
                "definition": limits,
            }
            for name, (pattern, limits) in policies().items()
        ],
        "exchanges": [
            {
                "name": exchange.name,
                "vhost": vhost,
                "type": exchange.type,
                "durable": True,
                "auto_delete": False,
                "internal": False,
                "arguments": exchange.arguments,
            }
            for exchange in exchanges()
        ],
        "queues": [
            {
                "name": queue.name,
                "vhost": vhost,
                "durable": True,
                "auto_delete": False,
                "arguments": queue.arguments,
            }
            for queue in queues()
        ],
        "bindings": [
            {
                "source": binding.source,
                "vhost": vhost,
                "destination": binding.destination,
                "destination_type": binding.kind,
                "routing_key": binding.key,
                "arguments": {},
            }
            for binding in bindings()
        ],
    }


def _quorum(name: str, **arguments: Any) -> Queue:
    return Queue(name, {"x-queue-type": "quorum", **arguments})


def _dead_to(exchange: str, key: str) -> dict[str, Any]:
    return {**_AT_LEAST_ONCE, "x-dead-letter-exchange": exchange, "x-dead-letter-routing-key": key}


if __name__ == "__main__":
    json.dump(definitions(*sys.argv[1:2]), sys.stdout, indent=2)
    sys.stdout.write("\n")
