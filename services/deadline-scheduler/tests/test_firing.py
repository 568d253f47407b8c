"""Firing: what is due, once, whatever happens meanwhile; reminders end published or skipped with a reason."""

import signal
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

import pytest
from jsonschema import Draft202012Validator
from prometheus_client import REGISTRY

from deadline_scheduler_service.firing import fire_due
from deadline_scheduler_service.watching import watching
from espace import contracts
from espace.telemetry import caused_by

DUE = "2024-10-25T22:00:00Z"
AT_DUE = datetime(2024, 10, 25, 22, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


def test_it_fires_at_its_instant_and_not_before(scheduler: Any) -> None:
    identity = uuid4()
    scheduler.set(identity, DUE)
    scheduler.freeze(AT_DUE - INSTANT)
    scheduler.tick()
    assert scheduler.published() == []
    scheduler.freeze(AT_DUE)
    scheduler.tick()
    scheduler.tick()
    (event,) = scheduler.published()
    assert event["type"] == "be.espace.deadline.expired.v1"
    assert event["id"] == uuid5(identity, "expired:1")
    assert scheduler.deadline(identity)["fired_at"] == AT_DUE


def test_which_rows_are_picked(scheduler: Any) -> None:
    """Due and kept: fired. Withdrawn, moved, fired before, a tombstone, not due yet: left alone."""
    due, withdrawn, moved, fired, tombstone, future = (uuid4() for _ in range(6))
    scheduler.set(fired, "2024-10-22T00:00:00Z")
    scheduler.tick()
    for identity in (due, withdrawn, moved):
        scheduler.set(identity, DUE)
    scheduler.withdraw(withdrawn)
    scheduler.set(moved, "2024-10-28T23:00:00Z", version=2)
    scheduler.withdraw(tombstone)
    scheduler.set(future, "2024-10-26T22:00:00Z")
    scheduler.freeze(AT_DUE)
    scheduler.tick()
    assert [row["subject"] for row in scheduler.published()] == [str(fired), str(due)]


def test_what_is_published_is_what_the_contracts_say(scheduler: Any) -> None:
    scheduler.set(uuid4(), DUE, (1, "2024-10-24T07:00:00Z"))
    scheduler.freeze(datetime(2024, 10, 24, 7, tzinfo=UTC))
    scheduler.tick()
    scheduler.freeze(AT_DUE)
    scheduler.tick()
    assert scheduler.types() == ["deadline.reminder_due.v1", "deadline.expired.v1"]
    for row in scheduler.published():
        Draft202012Validator(contracts.schemas()[row["type"]]).validate(row["data"])
        assert row["subject"] == row["data"]["deadline_id"]
        assert row["data"]["due_at"] == "2024-10-25T22:00:00.000000Z"


def test_stopped_for_36_hours_it_fires_what_is_due_once(scheduler: Any) -> None:
    """The last reminder of a deadline that still runs is made up for; the others say why they are not."""
    passed, running, far = uuid4(), uuid4(), uuid4()
    scheduler.set(passed, "2024-10-23T22:00:00Z", (1, "2024-10-22T09:00:00Z"), (0, "2024-10-23T07:00:00Z"))
    scheduler.set(running, "2024-10-24T22:00:00Z", (2, "2024-10-22T09:00:00Z"), (1, "2024-10-23T07:00:00Z"))
    scheduler.set(far, "2024-10-28T23:00:00Z", (1, "2024-10-27T08:00:00Z"))
    scheduler.freeze(datetime(2024, 10, 24, 0, tzinfo=UTC))  # 36 hours are over
    for _ in range(3):
        scheduler.tick()
    assert Counter(scheduler.types()) == {"deadline.expired.v1": 1, "deadline.reminder_due.v1": 1}
    assert scheduler.deadline(passed)["state"] == "fired"
    assert scheduler.reminders(passed) == [(1, 1, "skipped", "expired"), (1, 0, "skipped", "expired")]
    assert scheduler.reminders(running) == [(1, 2, "skipped", "superseded"), (1, 1, "published", None)]
    assert scheduler.deadline(far)["state"] == "kept"
    assert scheduler.reminders(far) == [(1, 1, "waiting", None)]


@pytest.mark.parametrize("batch", [1, 2, 500])
def test_of_the_reminders_that_are_overdue_the_latest_goes_out(scheduler: Any, batch: int) -> None:
    """However the batches are cut, and of two at one instant the one that is nearer to the end."""
    first, second = uuid4(), uuid4()
    for identity in (first, second):
        scheduler.set(
            identity,
            DUE,
            (3, "2024-10-22T09:00:00Z"),
            (2, "2024-10-23T09:00:00Z"),
            (1, "2024-10-23T09:00:00Z"),
            (0, "2024-10-25T07:00:00Z"),
        )
    scheduler.freeze(datetime(2024, 10, 24, 0, tzinfo=UTC))
    while fire_due(scheduler.database, scheduler.clock, batch=batch):
        pass
    assert {(row["subject"], row["data"]["days_before"]) for row in scheduler.published()} == {
        (str(first), 1),
        (str(second), 1),
    }
    for identity in (first, second):
        assert sorted(scheduler.reminders(identity)) == [
            (1, 0, "waiting", None),
            (1, 1, "published", None),
            (1, 2, "skipped", "superseded"),
            (1, 3, "skipped", "superseded"),
        ]
    scheduler.freeze(datetime(2024, 10, 25, 8, tzinfo=UTC))
    scheduler.tick()
    assert len(scheduler.published()) == 4, "those to come are not concerned"


def test_what_is_fired_names_the_request_that_set_the_deadline(scheduler: Any) -> None:
    identity, trace = uuid4(), f"00-{'ab' * 16}-{'cd' * 8}-01"
    with caused_by("the-deposit-0001", trace):
        scheduler.set(identity, DUE, (1, "2024-10-24T07:00:00Z"))
    with caused_by("another-request-0002"):
        scheduler.freeze(datetime(2024, 10, 24, 7, tzinfo=UTC))
        scheduler.tick()
        scheduler.freeze(AT_DUE)
        scheduler.tick()
    assert [(row["request_id"], row["traceparent"]) for row in scheduler.published()] == [
        ("the-deposit-0001", trace)
    ] * 2


def test_a_withdrawn_deadline_reminds_nobody(scheduler: Any) -> None:
    identity = uuid4()
    scheduler.set(identity, DUE, (1, "2024-10-24T07:00:00Z"))
    scheduler.withdraw(identity)
    scheduler.freeze(AT_DUE)
    scheduler.tick()
    assert scheduler.published() == []
    assert scheduler.reminders(identity) == [(1, 1, "skipped", "withdrawn")]


def test_what_has_fired_stays_fired(scheduler: Any) -> None:
    identity = uuid4()
    scheduler.set(identity, "2024-10-22T00:00:00Z")
    scheduler.tick()
    scheduler.withdraw(identity)
    assert scheduler.deadline(identity)["state"] == "fired"


def test_moved_after_firing_it_fires_again_as_another_event(scheduler: Any) -> None:
    identity = uuid4()
    scheduler.set(identity, "2024-10-22T00:00:00Z")
    scheduler.tick()
    scheduler.set(identity, DUE, version=2)
    scheduler.freeze(AT_DUE)
    scheduler.tick()
    assert [row["id"] for row in scheduler.published()] == [
        uuid5(identity, "expired:1"),
        uuid5(identity, "expired:2"),
    ]


@pytest.mark.asynchronous
def test_two_schedulers_fire_each_deadline_once(scheduler: Any) -> None:
    identities = [uuid4() for _ in range(60)]
    for identity in identities:
        scheduler.set(identity, DUE, (1, "2024-10-24T07:00:00Z"))
    scheduler.freeze(AT_DUE)
    together = threading.Barrier(4)

    def tick() -> None:
        together.wait()
        for _ in range(20):
            fire_due(scheduler.database, scheduler.clock, batch=7)

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    scheduler.tick()
    assert Counter(UUID(row["subject"]) for row in scheduler.published()) == dict.fromkeys(identities, 1)


@pytest.mark.asynchronous
def test_killed_while_firing_it_fires_once_after_the_restart(scheduler: Any) -> None:
    identities = [uuid4() for _ in range(10)]
    for identity in identities:
        scheduler.set(identity, DUE)
    scheduler.freeze(AT_DUE)
    (scheduler.folder / "scheduler.while_firing").touch()
    assert scheduler.process("tick").wait(30) == -signal.SIGKILL
    assert scheduler.published() == [], "nothing half done"
    process = scheduler.process("tick")
    try:
        scheduler.until("fired", lambda: len(scheduler.published()) == 10)
    finally:
        process.terminate()
        assert process.wait(30) == 0
    assert Counter(UUID(row["subject"]) for row in scheduler.published()) == dict.fromkeys(identities, 1)


@pytest.mark.asynchronous
def test_two_tickers_have_one_leader(scheduler: Any) -> None:
    processes = [scheduler.process("tick"), scheduler.process("tick")]
    try:
        scheduler.until("both run", lambda: len(scheduler.log("program.started")) == 2)
        scheduler.until("one leads", lambda: scheduler.log("leader.gained"))
        identity = uuid4()
        scheduler.set(identity, "2024-10-22T00:00:00Z")
        scheduler.until("fired", scheduler.published)
        assert len(scheduler.log("leader.gained")) == 1
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_overdue_and_lateness_are_told(scheduler: Any) -> None:
    def lateness() -> float:
        return REGISTRY.get_sample_value("espace_deadline_lateness_seconds_sum") or 0.0

    scheduler.set(uuid4(), DUE)
    scheduler.freeze(AT_DUE + timedelta(hours=36))
    look(scheduler)
    assert REGISTRY.get_sample_value("espace_deadlines_overdue") == 1
    before = lateness()
    scheduler.tick()
    assert lateness() - before == 36 * 3600
    look(scheduler)
    assert REGISTRY.get_sample_value("espace_deadlines_overdue") == 0


def test_what_comes_in_the_next_72_hours_is_told_by_spans(scheduler: Any) -> None:
    def ahead(kind: str, within: int) -> float | None:
        labels = {"kind": kind, "within_hours": str(within)}
        return REGISTRY.get_sample_value("espace_deadlines_ahead", labels)

    scheduler.freeze(AT_DUE - timedelta(hours=73))
    scheduler.set(uuid4(), DUE)
    look(scheduler)
    assert ahead("information_request", 72) in (None, 0)
    scheduler.freeze(AT_DUE - timedelta(hours=9))
    look(scheduler)
    assert (ahead("information_request", 6), ahead("information_request", 12)) == (0, 1)
    scheduler.freeze(AT_DUE - timedelta(hours=6))
    look(scheduler)
    assert (ahead("information_request", 6), ahead("information_request", 12)) == (1, 0)


def look(scheduler: Any) -> None:
    with scheduler.database.session() as session:
        watching(scheduler.clock)(session)
