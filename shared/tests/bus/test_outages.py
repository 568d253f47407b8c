"""Broker and database killed, restarted and frozen under load: nothing lost, nothing twice in effect."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY

from espace.bus import Incoming, topology
from espace.bus.consumer import Consumer
from espace.bus.event import encode, envelope
from espace.bus.relay import Relay
from espace.db import UnitOfWork
from espace.testing import until
from shared.tests.bus.effects_worker import leave_an_effect


def interruptions(loop: str = "relay") -> float:
    return REGISTRY.get_sample_value("espace_loop_errors_total", {"loop": loop}) or 0.0


def load(bus: Any, count: int) -> set[Any]:
    return {identity for _ in range(count // 50) for identity in bus.record(50)}


def settled(bus: Any, identities: set[Any]) -> Callable[[], bool]:
    return lambda: bus.count("outbox") == 0 and bus.count("effects") >= len(identities)


@pytest.mark.asynchronous
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


@pytest.mark.asynchronous
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


@pytest.mark.asynchronous
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


@pytest.mark.asynchronous
def test_a_database_that_stays_away_costs_one_delivery_however_long(private: Any, private_bus: Any) -> None:
    """What was held too long is given back once, and nothing is taken until the database answers."""
    bus = private_bus
    started, go_on = threading.Event(), threading.Event()

    def handler(unit: UnitOfWork, incoming: Incoming) -> None:
        started.set()
        assert go_on.wait(60)
        leave_an_effect(unit, incoming)

    event = bus.event()
    bus.put("scheduler", encode(envelope(event, service="dossier")), message_id=str(event.id))
    handlers = dict.fromkeys(topology.SUBSCRIPTIONS["scheduler"], handler)
    consumer = Consumer("scheduler", handlers, bus.database, bus.amqp_url, hold_seconds=0.2)
    with bus.limited("scheduler", {"delivery-limit": 1}), bus.running(consumer):
        assert started.wait(60)
        private.postgres.kill()
        before = interruptions("consume")
        go_on.set()
        until("given back, and asked again and again", lambda: interruptions("consume") >= before + 4)
        assert bus.depth("scheduler") == 1
        private.postgres.start()
        until("handled", lambda: bus.effects() == {event.id: 1}, 90)
    assert bus.depth("scheduler.dead") == 0
