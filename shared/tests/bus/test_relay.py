"""The relay: what is committed is published, at least once, and what is not is not."""

import signal
from collections import Counter
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft202012Validator
from prometheus_client import REGISTRY
from sqlalchemy import text

from espace import contracts
from espace.bus import topology
from espace.bus.holds import Holds
from espace.bus.relay import _NEXT, BATCH, Relay
from espace.testing import until
from shared.tests.bus.facts import SET

SUBMITTED = "be.espace.dossier.submitted.v1"


def refused() -> float:
    return REGISTRY.get_sample_value("espace_loop_errors_total", {"loop": "relay"}) or 0.0


def relay(bus: Any) -> Relay:
    return Relay("dossier", bus.database, bus.amqp_url)


def test_a_committed_event_is_published_as_its_contract_says(bus: Any) -> None:
    (identity,) = bus.record()
    with bus.running(relay(bus)):
        until("the outbox is empty", lambda: bus.count("outbox") == 0)
    (document,) = bus.take("scheduler")
    Draft202012Validator(contracts.envelope()).validate(document)
    assert document["id"] == str(identity)
    assert document["source"] == "/espace/dossier"
    assert bus.count("event_log") == 1, "the log keeps what the outbox forgets"


def test_a_rolled_back_event_is_never_published(bus: Any) -> None:
    def fail() -> None:
        with bus.database.transaction() as unit:
            unit.record(bus.event())
            unit.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert bus.count("outbox") == bus.count("event_log") == 0


@pytest.mark.asynchronous
def test_a_number_that_commits_late_is_published_too(bus: Any) -> None:
    late = bus.event()
    with bus.running(relay(bus)):
        with bus.database.transaction() as unit:
            unit.record(late)
            unit.flush()  # its number is taken, its commit comes after the others'
            bus.record(3)
            until("the others are published", lambda: bus.count("outbox") == 0)
        until("the late one too", lambda: bus.count("outbox") == 0 and bus.depth("scheduler") == 4)
    assert str(late.id) in {document["id"] for document in bus.take("scheduler")}


@pytest.mark.asynchronous
@pytest.mark.parametrize("point", ["relay.before_publish", "relay.after_confirm"])
def test_killed_between_confirm_and_delete_publishes_again_and_takes_effect_once(
    bus: Any, point: str
) -> None:
    identities = bus.record(20)
    bus.arm(point)
    first = bus.process("relay")
    assert first.wait(30) == -signal.SIGKILL
    assert bus.count("outbox") == 20, "nothing was deleted that was not known to be confirmed"
    bus.process("relay", "consume")
    until("all took effect", lambda: bus.count("outbox") == 0 and set(bus.effects()) == set(identities))
    if point == "relay.after_confirm":
        until("the second copies came too", lambda: len(bus.log("consumer.duplicate")) == 20)
    assert set(bus.effects().values()) == {1}


@pytest.mark.asynchronous
def test_two_relays_have_one_leader_and_the_other_takes_over(bus: Any) -> None:
    bus.process("relay")
    bus.process("relay")
    until("one leads", lambda: len(bus.log("program.started")) == 2 and len(bus.log("leader.gained")) == 1)
    bus.record(50)
    until("published", lambda: bus.count("outbox") == 0)
    assert bus.depth("scheduler") == 50, "once each"
    (leader,) = bus.log("leader.gained")
    bus.processes[leader].kill()
    bus.record(10)
    until("the other one leads now", lambda: bus.count("outbox") == 0)
    assert bus.depth("scheduler") == 60
    assert sorted(bus.log("leader.gained")) == [0, 1]


@pytest.mark.asynchronous
def test_the_lead_is_lost_with_its_connection(bus: Any) -> None:
    with bus.running(relay(bus)):
        bus.record(1)
        until("published", lambda: bus.count("outbox") == 0)
        with bus.database.transaction() as unit:
            unit.session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = 'leader of relay' AND datname = current_database()"
                )
            )
        bus.record(1)
        until("it leads again", lambda: bus.count("outbox") == 0)


def test_an_event_nobody_reads_yet_is_confirmed_and_raises_no_alarm(bus: Any) -> None:
    bus.record(1, "be.espace.dossier.withdrawn.v1")
    with bus.running(relay(bus)):
        until("confirmed", lambda: bus.count("outbox") == 0)
    assert bus.depth(topology.UNROUTABLE) == 0


def test_an_event_that_was_never_declared_is_kept_as_unroutable(bus: Any) -> None:
    bus.record(1, "be.espace.dossier.forgotten.v1")
    with bus.running(relay(bus)):
        until("confirmed", lambda: bus.count("outbox") == 0)
    assert bus.depth(topology.UNROUTABLE) == 1


def fill(bus: Any, queue: str, type_: str) -> set[UUID]:
    """Record events of ``type_`` until the queue, which takes next to none, refuses them.

    The limit is soft: a queue tells its publishers a little later that it is full.
    """
    before = refused()
    identities: set[UUID] = set()

    def refuses() -> bool:
        identities.update(bus.record(5, type_))
        return refused() > before

    until(f"{queue} refuses", refuses)
    return identities


@pytest.mark.asynchronous
def test_what_the_broker_refuses_stays_in_the_outbox(bus: Any) -> None:
    """The service's queue is full and refuses; room is made; the event arrives."""
    with bus.running(relay(bus)):
        with bus.limited("scheduler", {"max-length": 1}):
            identities = fill(bus, "scheduler", SET)
            assert bus.count("outbox") > 0
        until("room again", lambda: bus.count("outbox") == 0)
    assert {UUID(document["id"]) for document in bus.take("scheduler")} >= identities


def test_a_batch_reads_no_more_of_a_long_log_than_itself(bus: Any) -> None:
    """What PostgreSQL knows of the outbox is old: left to itself, it reads the log from its beginning."""
    with bus.database.transaction() as unit:
        unit.session.execute(
            text("""
                WITH logged AS (
                    INSERT INTO event_log (id, type, subject, version, time, data)
                    SELECT gen_random_uuid(), 'test', '', 1, clock_timestamp(), '{}'
                    FROM generate_series(1, 20000) RETURNING position
                ) INSERT INTO outbox SELECT position FROM logged
            """)
        )
    with bus.database.transaction() as unit:
        unit.session.execute(text("ANALYZE event_log, outbox"))
        unit.session.execute(text("DELETE FROM outbox WHERE position <= 19000"))
        connection = unit.session.connection().connection.driver_connection
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {_NEXT}"
        plan = connection.execute(explain, ([], BATCH)).fetchone()[0][0]["Plan"]
    assert _read(plan, "event_log") == 1000


def _read(plan: dict[str, Any], table: str) -> float:
    """How many rows of a table a plan has read."""
    own = plan["Actual Rows"] * plan["Actual Loops"] if plan.get("Relation Name") == table else 0
    return float(own + sum(_read(below, table) for below in plan.get("Plans", [])))


@pytest.mark.asynchronous
def test_a_full_queue_holds_back_no_other_event(bus: Any) -> None:
    """More than a batch of refused events wait before those that others read."""
    with bus.limited("scheduler", {"max-length": 1}), bus.running(relay(bus)):
        fill(bus, "scheduler", SET)
        bus.record(BATCH + 1, SET)
        bus.record(3, SUBMITTED)
        until("the others arrived", lambda: bus.depth("notifier") == 3)
        assert bus.count("outbox") > BATCH


@pytest.mark.asynchronous
def test_a_full_queue_does_not_flood_the_other_readers(bus: Any) -> None:
    """What one reader refuses, another got: it gets one copy more for each try, and not all of them."""
    with bus.limited("documents", {"max-length": 1}), bus.running(relay(bus)):
        before = refused()
        identities = fill(bus, "documents", SUBMITTED)
        until("tried again and again", lambda: refused() >= before + 4)
    tries = refused() - before
    copies = Counter(document["id"] for document in bus.take("notifier"))
    assert max(copies.values()) > 1
    assert sum(copies.values()) <= len(identities) + tries


def test_a_type_waits_twice_as_long_after_each_refusal_until_one_is_taken() -> None:
    now = [0.0]
    holds = Holds(clock=lambda: now[0])
    assert [holds.hold("a") for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    holds.hold("b")
    assert (holds.held, holds.due()) == (["a", "b"], [])
    now[0] = 1
    assert holds.due() == ["b"]
    holds.release("a")
    assert (holds.held, holds.hold("a")) == (["b"], 0.5)
