"""Broker and database killed, restarted and frozen under load: nothing lost, nothing twice in effect."""

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY

from espace.bus.relay import Relay
from espace.testing import until


def interruptions() -> float:
    return REGISTRY.get_sample_value("espace_loop_errors_total", {"loop": "relay"}) or 0.0


def load(bus: Any, count: int) -> set[Any]:
    return {identity for _ in range(count // 50) for identity in bus.record(50)}


def settled(bus: Any, identities: set[Any]) -> Callable[[], bool]:
    return lambda: bus.count("outbox") == 0 and bus.count("effects") >= len(identities)


def test_broker_killed_and_restarted_loses_nothing(private: Any, private_bus: Any) -> None:
    bus = private_bus
    bus.process("relay", "consume")
    identities = load(bus, 500)
    until("under way", lambda: bus.count("effects") > 50)
    private.rabbitmq.kill()
    identities |= load(bus, 300)  # a command never waits for the broker
    private.rabbitmq.start()
    until("all took effect", settled(bus, identities), 90)
    assert bus.effects() == dict.fromkeys(identities, 1)
    assert bus.depth("scheduler.dead") == 0


def test_broker_frozen_is_noticed_and_survived(private: Any, private_bus: Any) -> None:
    bus = private_bus
    bus.process("consume")
    relay = Relay("dossier", bus.database, bus.amqp_url, confirm_seconds=1)
    with bus.running(relay):
        identities = load(bus, 100)
        until("under way", settled(bus, identities))
        before = interruptions()
        private.rabbitmq.pause()
        identities |= load(bus, 100)
        until("noticed by our own deadline, long before the heartbeat's", lambda: interruptions() > before)
        private.rabbitmq.resume()
        until("all took effect", settled(bus, identities), 90)
    assert bus.effects() == dict.fromkeys(identities, 1)


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_database_ended_and_restarted_loses_nothing(private: Any, private_bus: Any, how: str) -> None:
    bus = private_bus
    bus.process("relay", "consume")
    identities = load(bus, 500)
    until("under way", lambda: bus.count("effects") > 50)
    getattr(private.postgres, how)()
    until("the consumer holds what it has", lambda: bus.log("consumer.interrupted"))
    private.postgres.start()
    until("all took effect", settled(bus, identities), 90)
    assert bus.effects() == dict.fromkeys(identities, 1)
    assert bus.depth("scheduler.dead") == 0, "the outage cost nobody its tries"
