"""A broker that is lost with what it held is filled again from the event logs."""

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pika
import pytest

from espace.bus.refill import refill
from espace.bus.relay import Relay
from espace.clock import utcnow
from espace.testing import until


def lose(bus: Any, queue: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(bus.amqp_url)) as connection:
        connection.channel().queue_delete(queue)


def test_what_a_lost_broker_held_takes_effect_and_what_was_applied_does_not_again(bus: Any) -> None:
    before = utcnow()
    consumer = bus.process("consume")
    with bus.running(Relay("dossier", bus.database, bus.amqp_url)):
        applied = bus.record(30)
        until("they took effect", lambda: bus.count("effects") == len(applied))
        consumer.kill()
        consumer.wait()
        held = bus.record(30)
        until("the broker has the others", lambda: bus.count("outbox") == 0)
    lose(bus, "scheduler")
    assert refill(bus.database, before) == 60
    bus.process("relay", "consume")
    until("all was published", lambda: bus.count("outbox") == 0)
    until("all took effect", lambda: bus.count("effects") >= 60)
    until("what was known is acknowledged", lambda: bus.depth("scheduler") == 0)
    assert bus.effects() == dict.fromkeys([*applied, *held], 1)
    assert len(bus.log("consumer.duplicate")) == len(applied)


def test_only_what_was_recorded_since_then_is_due_again_and_once(bus: Any) -> None:
    with bus.running(Relay("dossier", bus.database, bus.amqp_url)):
        bus.record(5)
        until("the outbox is empty", lambda: bus.count("outbox") == 0)
    later = utcnow() + timedelta(minutes=1)
    assert refill(bus.database, later) == 0
    bus.record(2)
    assert refill(bus.database, later - timedelta(minutes=2)) == 5, "two are in the outbox already"
    assert bus.count("outbox") == 7


@pytest.mark.parametrize(
    ("since", "status", "told"),
    [
        ("2024-10-15T09:00:00Z", 0, "0 events are due again"),
        ("2024-10-15T09:00:00", 2, "such as 2026-11-26T03:00:00Z"),
        ("yesterday", 2, "'yesterday' is not an instant with its zone"),
    ],
)
def test_the_command_says_what_it_did_or_what_it_wants(bus: Any, since: str, status: int, told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "deadline_scheduler_service", "refill", "--since", since],
        env={**os.environ, "ESPACE_DATABASE_URL": bus.database.url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == status, done.stderr
    assert told in done.stdout + done.stderr
