"""Broker and database killed, restarted and frozen under load: nothing lost, nothing twice in effect."""

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY

from espace.bus.relay import Relay

Until = Callable[..., None]


def interruptions() -> float:
    return REGISTRY.get_sample_value("espace_loop_errors_total", {"loop": "relay"}) or 0.0


def load(bus: Any, count: int) -> set[Any]:
    return {identity for _ in range(count // 50) for identity in bus.record(50)}


def settled(bus: Any, identities: set[Any]) -> Callable[[], bool]:
    return lambda: bus.count("outbox") == 0 and bus.count("effects") >= len(identities)


def test_broker_killed_and_restarted_loses_nothing(private: Any, private_bus: Any, until: Until) -> None:
    bus = private_bus
    bus.process("relay", "consume")
    identities = load(bus, 500)
    until(lambda: bus.count("effects") > 50, "under way")
    private.rabbitmq.kill()
    identities |= load(bus, 300)  # a command never waits for the broker
    private.rabbitmq.start()
    until(settled(bus, identities), "all took effect", 90)
    assert bus.effects() == dict.fromkeys(identities, 1)
    assert bus.depth("scheduler.dead") == 0


def test_broker_frozen_is_noticed_and_survived(private: Any, private_bus: Any, until: Until) -> None:
    bus = private_bus
    bus.process("consume")
    relay = Relay("dossier", bus.database, bus.amqp_url, confirm_seconds=1)
    with bus.running(relay):
        identities = load(bus, 100)
        until(settled(bus, identities), "under way")
        before = interruptions()
        private.rabbitmq.pause()
        identities |= load(bus, 100)
        until(lambda: interruptions() > before, "noticed by our own deadline, long before the heartbeat's")
        private.rabbitmq.resume()
        until(settled(bus, identities), "all took effect", 90)
    assert bus.effects() == dict.fromkeys(identities, 1)


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_database_ended_and_restarted_loses_nothing(
    private: Any, private_bus: Any, until: Until, how: str
) -> None:
    bus = private_bus
    bus.process("relay", "consume")
    identities = load(bus, 500)
    until(lambda: bus.count("effects") > 50, "under way")
    getattr(private.postgres, how)()
    until(lambda: bus.log("consumer.interrupted"), "the consumer holds what it has")
    private.postgres.start()
    until(settled(bus, identities), "all took effect", 90)
    assert bus.effects() == dict.fromkeys(identities, 1)
    assert bus.depth("scheduler.dead") == 0, "the outage cost nobody its tries"
