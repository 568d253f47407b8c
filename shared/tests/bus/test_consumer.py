"""The consumer: twice, late and killed are normal; what cannot be handled is parked, never lost."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from espace.bus import Incoming, dead_letters, topology
from espace.bus.consumer import Consumer, Handler
from espace.bus.event import encode, envelope
from espace.db import UnitOfWork
from espace.errors import DependencyDown, PermanentError, TransientError
from espace.testing import until
from shared.tests.bus.effects_worker import leave_an_effect

TIERS = (0.05, 0.1, 0.1, 0.1)


def consumer(bus: Any, handler: Handler = leave_an_effect, **options: Any) -> Consumer:
    handlers: Mapping[str, Handler] = dict.fromkeys(topology.SUBSCRIPTIONS["scheduler"], handler)
    return Consumer("scheduler", handlers, bus.database, bus.amqp_url, retry_seconds=TIERS, **options)


def deliver(bus: Any, count: int = 1, times: int = 1) -> list[UUID]:
    events = [bus.event() for _ in range(count)]
    bus.fill("scheduler", [envelope(event, service="dossier") for event in events * times])
    return [event.id for event in events]


def tried_before(bus: Any) -> UUID:
    """Deliver an event that comes from a retry tier."""
    event = bus.event()
    body = encode(envelope(event, service="dossier"))
    bus.put("scheduler.retry.1", body, message_id=str(event.id), expiration="1")
    until("its wait is over", lambda: bus.depth("scheduler") == 1)
    identity: UUID = event.id
    return identity


def test_a_type_without_handler_is_refused_at_start(bus: Any) -> None:
    with pytest.raises(ValueError, match="deadline_withdrawn"):
        Consumer("scheduler", {bus.event().type: leave_an_effect}, bus.database, bus.amqp_url)


def test_a_duplicate_takes_effect_once(bus: Any) -> None:
    identities = deliver(bus, count=5, times=3)
    with bus.running(consumer(bus)):
        until("consumed", lambda: bus.depth("scheduler") == 0 and len(bus.effects()) == 5)
    assert bus.depth("scheduler") == 0, "nothing came back: everything was acknowledged"
    assert bus.effects() == dict.fromkeys(identities, 1)


def test_a_handler_that_is_stuck_is_seen_with_what_is_in_hand(bus: Any) -> None:
    go_on = threading.Event()

    def told(name: str) -> float:
        return REGISTRY.get_sample_value(name, {"queue": "scheduler"}) or 0.0

    deliver(bus, count=3)
    with bus.running(consumer(bus, lambda *_: go_on.wait(30) and None, concurrency=1)):
        until("it shows", lambda: told("espace_consumer_oldest_work_seconds") > 0.5)
        assert told("espace_consumer_in_hand") == 3
        go_on.set()
        until("done", lambda: told("espace_consumer_in_hand") == 0)
        assert told("espace_consumer_oldest_work_seconds") == 0


def test_a_handler_that_is_stuck_does_not_stop_the_others(bus: Any) -> None:
    go_on = threading.Event()
    stuck, *others = deliver(bus, count=6)

    def handle(_unit: Any, incoming: Incoming) -> None:
        if incoming.id == stuck:
            go_on.wait(30)
        leave_an_effect(_unit, incoming)

    with bus.running(consumer(bus, handle, concurrency=2)):
        until("the others are done", lambda: bus.effects() == dict.fromkeys(others, 1))
        go_on.set()
        until("and it as well", lambda: bus.effects() == dict.fromkeys([stuck, *others], 1))


@pytest.mark.asynchronous
@pytest.mark.parametrize("point", ["consumer.before_commit", "consumer.after_commit"])
def test_killed_around_the_commit_takes_effect_once(bus: Any, point: str) -> None:
    identities = deliver(bus, count=10)
    bus.arm(point)
    assert bus.process("consume").wait(30) == -signal.SIGKILL
    bus.process("consume")
    until("all took effect after the restart", lambda: set(bus.effects()) == set(identities))
    until("all acknowledged", lambda: bus.depth("scheduler") == 0)
    assert set(bus.effects().values()) == {1}
    if point == "consumer.after_commit":
        assert bus.log("consumer.duplicate"), "it was delivered again and recognised"


def test_a_transient_error_is_tried_again_later(bus: Any) -> None:
    tries: list[UUID] = []

    def handler(unit: UnitOfWork, incoming: Incoming) -> None:
        tries.append(incoming.id)
        leave_an_effect(unit, incoming)
        if len(tries) < 4:
            raise TransientError("not yet")

    (identity,) = deliver(bus)
    with bus.running(consumer(bus, handler)):
        until("handled at the fourth try", lambda: bus.effects())
    assert tries == [identity] * 4
    assert bus.effects() == {identity: 1}
    assert bus.depth("scheduler.dead") == 0


def test_after_the_last_tier_it_is_parked_with_its_reason(bus: Any) -> None:
    def handler(_unit: UnitOfWork, _incoming: Incoming) -> None:
        raise TransientError("never")

    (identity,) = deliver(bus)
    with bus.running(consumer(bus, handler)):
        until("parked", lambda: bus.depth("scheduler.dead") == 1)
    (letter,) = dead_letters.read("scheduler", bus.amqp_url)
    assert letter.id == str(identity)
    assert (letter.reason, letter.error) == ("tries exhausted", "TransientError: never")
    assert letter.tries == len(TIERS)


def test_a_fault_of_ours_gets_fewer_tries_and_tells_no_data(bus: Any) -> None:
    tries: list[UUID] = []

    def handler(_unit: UnitOfWork, incoming: Incoming) -> None:
        tries.append(incoming.id)
        raise KeyError("lucie@example.be")

    deliver(bus)
    with bus.running(consumer(bus, handler)):
        until("parked", lambda: bus.depth("scheduler.dead") == 1)
    (letter,) = dead_letters.read("scheduler", bus.amqp_url)
    assert (letter.reason, letter.error) == ("unexpected", "KeyError")
    assert len(tries) == 4


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"specversion":"1.0"}', b"\xff\xfe"])
def test_what_is_no_event_is_parked_at_once(bus: Any, body: bytes) -> None:
    bus.put("scheduler", body)
    with bus.running(consumer(bus)):
        until("parked", lambda: bus.depth("scheduler.dead") == 1)
    assert dead_letters.read("scheduler", bus.amqp_url)[0].reason == "malformed"


def test_poison_is_parked_shown_and_replayed(bus: Any) -> None:
    broken = threading.Event()
    broken.set()

    def handler(unit: UnitOfWork, incoming: Incoming) -> None:
        leave_an_effect(unit, incoming)
        if broken.is_set():
            raise PermanentError("a field is missing")

    first, second = deliver(bus, count=2)
    with bus.running(consumer(bus, handler)):
        until("parked", lambda: bus.depth("scheduler.dead") == 2)
        assert not bus.effects(), "its transaction was rolled back"
        assert dead_letters_command(bus, "list").count("permanent: PermanentError: a field is missing") == 2
        assert len(dead_letters.read("scheduler", bus.amqp_url)) == 2, "a look leaves them where they are"
        assert str(first) in dead_letters_command(bus, "show", str(first))
        broken.clear()
        foreseen = dead_letters_command(bus, "replay", "--dry-run")
        assert (str(first) in foreseen, foreseen.endswith("2 to replay\n")) == (True, True)
        assert bus.depth("scheduler.dead") == 2
        assert dead_letters_command(bus, "replay", str(first)) == "1 replayed\n"
        until("the one named was replayed", lambda: set(bus.effects()) == {first})
        assert dead_letters_command(bus, "replay") == "1 replayed\n"
        until("then the rest", lambda: set(bus.effects()) == {first, second})
    assert bus.depth("scheduler.dead") == 0
    assert "not among the dead letters" in dead_letters_command(bus, "replay", str(first), status=1)


def dead_letters_command(bus: Any, action: str, *arguments: str, status: int = 0) -> str:
    """What an operator reads."""
    by = ["--by", "duty"] if action == "replay" else []
    program = [sys.executable, "-W", "error", "-m", "deadline_scheduler_service"]
    done = subprocess.run(
        [*program, "dead-letters", action, *arguments, *by],
        env={**os.environ, "ESPACE_AMQP_URL": bus.amqp_url},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == status, done.stderr
    told = [line for line in done.stdout.splitlines(keepends=True) if not line.startswith('{"')]
    logged = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"')]
    assert all(line["by"] == "duty" for line in logged if line["event"] == "dead_letter.replayed")
    return "".join(told) + done.stderr


def test_a_dependency_that_is_down_costs_no_tries(bus: Any) -> None:
    down = threading.Event()
    down.set()
    tries: list[UUID] = []

    def handler(unit: UnitOfWork, incoming: Incoming) -> None:
        tries.append(incoming.id)
        if down.is_set():
            raise DependencyDown("away")
        leave_an_effect(unit, incoming)

    identities = deliver(bus, count=30)
    with bus.running(consumer(bus, handler)):
        until("each of the four threads holds what it has", lambda: len(tries) > 12)
        assert len(set(tries)) <= 4, "and takes no other"
        assert bus.depth("scheduler.retry.1") == bus.depth("scheduler.dead") == 0
        down.clear()
        until("all handled", lambda: set(bus.effects()) == set(identities))
    assert set(bus.effects().values()) == {1}


@pytest.mark.asynchronous
def test_stopping_finishes_what_is_in_hand(bus: Any) -> None:
    started, go_on = threading.Event(), threading.Event()

    def handler(unit: UnitOfWork, incoming: Incoming) -> None:
        started.set()
        assert go_on.wait(20)
        leave_an_effect(unit, incoming)

    (identity,) = deliver(bus)
    with bus.running(consumer(bus, handler)) as stop:
        assert started.wait(20)
        stop.set()
        go_on.set()
    assert bus.effects() == {identity: 1}
    assert bus.depth("scheduler") == 0, "acknowledged before the connection was closed"


@pytest.mark.asynchronous
def test_a_stop_while_a_dependency_is_down_gives_the_event_back(bus: Any) -> None:
    tried = threading.Event()

    def handler(_unit: UnitOfWork, _incoming: Incoming) -> None:
        tried.set()
        raise DependencyDown("away")

    deliver(bus)
    with bus.running(consumer(bus, handler)):
        assert tried.wait(20)
    assert bus.depth("scheduler") == 1


@pytest.mark.asynchronous
@pytest.mark.parametrize("tried", [False, True])
def test_an_event_that_kills_its_worker_again_and_again_is_parked_by_the_broker(
    bus: Any, tried: bool
) -> None:
    """The delivery limit of the policies, and at-least-once dead-lettering behind it."""
    identity = tried_before(bus) if tried else deliver(bus)[0]
    with bus.limited("scheduler", {"delivery-limit": 2}):
        for _ in range(3):
            bus.arm("consumer.before_commit")
            assert bus.process("consume").wait(30) == -signal.SIGKILL
        until("parked", lambda: bus.depth("scheduler.dead") == 1)
    (letter,) = dead_letters.read("scheduler", bus.amqp_url)
    assert (letter.id, letter.reason) == (str(identity), "delivery_limit")
    dead_letters.replay("scheduler", bus.amqp_url, by="duty")
    with bus.running(consumer(bus)):
        until("replayed", lambda: bus.effects() == {identity: 1})
