"""Many that wait are handled together; what becomes of each is as if it had been alone."""

import signal
import threading
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from espace.bus import Incoming, dead_letters, topology
from espace.bus.consumer import PREFETCH, Consumer
from espace.bus.event import encode, envelope
from espace.bus.handling import Abandoned, Delivery, Handled, Handling, Outcome, Parked, Retried
from espace.db import UnitOfWork
from espace.errors import DependencyDown, PermanentError, TransientError
from espace.telemetry import request_id
from espace.testing import until
from shared.tests.bus.effects_worker import leave_an_effect


class Crowd:
    """Events in one consumer's hands, and who saw them."""

    def __init__(self, bus: Any, *failing: Exception | None) -> None:
        self._bus = bus
        events = [bus.event() for _ in failing]
        self.ids: list[UUID] = [event.id for event in events]
        self.failing = dict(zip(self.ids, failing, strict=True))
        self.tried: list[UUID] = []
        self.units: dict[UUID, UnitOfWork] = {}
        self.causes: dict[UUID, str | None] = {}
        self.deliveries = [
            Delivery(
                tag,
                SimpleNamespace(headers={}),
                encode(envelope(event, service="dossier", request_id=f"request-{tag}")),
            )
            for tag, event in enumerate(events)
        ]

    def handler(self, unit: UnitOfWork, incoming: Incoming) -> None:
        self.tried.append(incoming.id)
        self.units[incoming.id] = unit
        self.causes[incoming.id] = request_id()
        leave_an_effect(unit, incoming)
        if (error := self.failing[incoming.id]) is not None:
            raise error

    def outcomes(self, hold_seconds: float = 60) -> list[Outcome]:
        handlers = dict.fromkeys(topology.SUBSCRIPTIONS["scheduler"], self.handler)
        handling = Handling(handlers, self._bus.database, hold_seconds)
        return handling.handle_together(self.deliveries, threading.Event())


def test_together_is_one_transaction_each_within_its_cause(bus: Any) -> None:
    crowd = Crowd(bus, None, None, None)
    assert crowd.outcomes() == [Handled()] * 3
    assert len(set(crowd.units.values())) == 1
    assert crowd.causes == {identity: f"request-{tag}" for tag, identity in enumerate(crowd.ids)}
    assert bus.effects() == dict.fromkeys(crowd.ids, 1)


def test_twice_in_a_crowd_and_again_later_takes_effect_once(bus: Any) -> None:
    crowd = Crowd(bus, None, None)
    crowd.deliveries = [*crowd.deliveries, *crowd.deliveries]
    assert crowd.outcomes() == [Handled()] * 2 + [Handled(duplicate=True)] * 2
    assert crowd.outcomes() == [Handled(duplicate=True)] * 4
    assert bus.effects() == dict.fromkeys(crowd.ids, 1)


def test_one_that_fails_in_a_crowd_fails_alone(bus: Any) -> None:
    lasting = PermanentError("a field is missing")
    crowd = Crowd(bus, None, lasting, TransientError("not yet"), KeyError(), None)
    crowd.deliveries.append(Delivery(9, SimpleNamespace(headers={}), b"not json"))
    first, permanent, transient, fault, last, malformed = crowd.outcomes()
    assert first == last == Handled()
    assert permanent == Parked("permanent", "PermanentError: a field is missing")
    assert transient == Retried("TransientError: not yet")
    assert fault == Retried("KeyError", unexpected=True)
    assert isinstance(malformed, Parked)
    assert malformed.reason == "malformed"
    assert bus.effects() == {crowd.ids[0]: 1, crowd.ids[-1]: 1}


def test_what_is_held_too_long_is_given_back_with_all_that_came_with_it(bus: Any) -> None:
    """Not one after the other, each as long: the broker would take the connection away."""
    crowd = Crowd(bus, None, DependencyDown("away"), None)
    assert crowd.outcomes(hold_seconds=0.2) == [Handled(), Abandoned(), Abandoned()]
    assert crowd.ids[2] not in crowd.tried
    assert bus.effects() == {crowd.ids[0]: 1}


def fill(bus: Any, count: int, *, poison_at: int | None = None) -> list[UUID]:
    documents = [envelope(bus.event(), service="dossier") for _ in range(count)]
    if poison_at is not None:
        documents[poison_at]["data"]["poison"] = True
    bus.fill("scheduler", documents)
    return [UUID(document["id"]) for document in documents]


def test_a_backlog_is_handled_in_fewer_transactions_and_poison_in_it_is_parked(bus: Any) -> None:
    units: set[UnitOfWork] = set()

    def handler(unit: UnitOfWork, incoming: Incoming) -> None:
        units.add(unit)
        leave_an_effect(unit, incoming)
        if incoming.data.get("poison"):
            raise PermanentError("poison")

    identities = fill(bus, 3 * PREFETCH, poison_at=PREFETCH)
    poison = identities.pop(PREFETCH)
    handlers = dict.fromkeys(topology.SUBSCRIPTIONS["scheduler"], handler)
    with bus.running(Consumer("scheduler", handlers, bus.database, bus.amqp_url, concurrency=1)):
        until("all done", lambda: len(bus.effects()) == len(identities) and bus.depth("scheduler.dead") == 1)
    assert bus.effects() == dict.fromkeys(identities, 1)
    assert bus.depth("scheduler") == 0, "all were acknowledged"
    assert [letter.id for letter in dead_letters.read("scheduler", bus.amqp_url)] == [str(poison)]
    assert len(units) < len(identities) / 2


# The second row of a transaction waits for a lock of the test's.
GATE = """
    CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (SELECT FROM effects WHERE xmin = pg_current_xact_id()::xid) THEN
            PERFORM pg_advisory_xact_lock_shared(42);
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER gate BEFORE INSERT ON effects FOR EACH ROW EXECUTE FUNCTION wait();
"""
WAITING = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42 AND NOT granted")


@pytest.mark.asynchronous
@pytest.mark.parametrize("point", ["consumer.before_commit", "consumer.after_commit"])
def test_a_crowd_killed_around_its_commit_takes_effect_once(bus: Any, point: str) -> None:
    identities = fill(bus, 250)
    with bus.database.engine.begin() as connection:
        connection.execute(text(GATE))
    with bus.database.engine.begin() as gate:
        gate.execute(text("SELECT pg_advisory_xact_lock(42)"))
        process = bus.process("consume")
        until("each of the four threads has a crowd", lambda: gate.execute(WAITING).scalar_one() == 4)
        bus.arm(point)
    assert process.wait(30) == -signal.SIGKILL
    bus.process("consume")
    until("all took effect after the restart", lambda: set(bus.effects()) == set(identities))
    until("all acknowledged", lambda: bus.depth("scheduler") == 0)
    assert set(bus.effects().values()) == {1}
    if point == "consumer.after_commit":
        assert len(bus.log("consumer.duplicate")) > 1, "several were committed together, and are recognised"
