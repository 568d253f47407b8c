"""Connections with their limits, the unit of work, migrations, leadership."""

import threading
from collections.abc import Callable, Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import exc, text

from espace.bus import Event
from espace.db import Database, is_unavailable, migrations
from espace.db.leader import Leader
from espace.telemetry import caused_by

PACKAGE = "deadline_scheduler_service"


@pytest.fixture
def url(fresh_database: Callable[[str], str]) -> str:
    return fresh_database(PACKAGE)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    made = Database(url, pool_size=2, application_name="a test")
    yield made
    made.dispose()


def event() -> Event:
    return Event(type="be.espace.dossier.withdrawn.v1", subject=str(uuid4()), version=1, data={"a": [1]})


@pytest.mark.parametrize(
    ("failure", "unavailable"),
    [
        (errors.DiskFull, True),
        (errors.OutOfMemory, True),
        (errors.TooManyConnections, True),
        (errors.LockNotAvailable, False),
        (errors.QueryCanceled, False),
        (errors.UniqueViolation, False),
    ],
)
def test_what_the_server_lacks_is_no_fault_of_ours(failure: type[psycopg.Error], unavailable: bool) -> None:
    assert is_unavailable(exc.DBAPIError("INSERT", {}, failure())) is unavailable


def test_a_migration_does_not_wait_for_ever(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "LOCK_TIMEOUT_MS", 100, raising=False)
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (migrations._ADVISORY_LOCK,))
        with pytest.raises(exc.OperationalError, match="lock timeout"):
            migrations.upgrade(url, PACKAGE)


def test_every_connection_has_its_limits_and_its_name(database: Database) -> None:
    with database.session() as session:
        settings = {
            name: session.execute(text(f"SHOW {name}")).scalar_one()
            for name in (
                "statement_timeout",
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "application_name",
                "timezone",
            )
        }
    assert settings == {
        "statement_timeout": "15s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "30s",
        "application_name": "a test",
        "timezone": "UTC",
    }


def test_what_is_confirmed_survives_a_crash_of_the_server(database: Database) -> None:
    """The server's own settings, which a kill of a process cannot prove."""
    with database.session() as session:
        for name in ("synchronous_commit", "full_page_writes"):
            assert session.execute(text(f"SHOW {name}")).scalar_one() == "on"


def test_a_session_cannot_write_and_a_transaction_after_it_can(database: Database) -> None:
    with database.session() as session, pytest.raises(exc.InternalError, match="read-only"):
        session.execute(text("DELETE FROM inbox"))
    with database.transaction() as unit:
        unit.session.execute(text("DELETE FROM inbox"))


def test_state_and_event_commit_together_with_their_cause(database: Database) -> None:
    fact = event()
    with caused_by("request-0001"), database.transaction() as unit:
        unit.record(fact)
        assert unit.events == (fact,)
    with database.session() as session:
        row = session.execute(text("SELECT * FROM event_log JOIN outbox USING (position)")).one()
    assert (row.id, row.data, row.request_id) == (fact.id, {"a": [1]}, "request-0001")


def test_an_event_is_written_after_the_state_it_tells(database: Database) -> None:
    """So the aggregate's row lock is held when the event gets its number: the order per aggregate holds."""
    first, second = event(), event()
    entered, done = threading.Event(), threading.Event()
    with database.transaction() as unit:
        unit.session.execute(text("CREATE TABLE aggregate (version int)"))
        unit.session.execute(text("INSERT INTO aggregate VALUES (1)"))

    def other() -> None:
        with database.transaction() as unit:
            unit.record(second)
            entered.set()
            unit.session.execute(text("UPDATE aggregate SET version = 3"))
        done.set()

    with database.transaction() as unit:
        unit.session.execute(text("UPDATE aggregate SET version = 2"))
        thread = threading.Thread(target=other)
        thread.start()
        assert entered.wait(10)
        unit.record(first)
    assert done.wait(10)
    thread.join()
    with database.session() as session:
        order = session.execute(text("SELECT id FROM event_log ORDER BY position")).scalars().all()
    assert order == [first.id, second.id]


def test_a_database_that_is_away_is_told_from_a_mistake(database: Database) -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(exc.OperationalError) as refused:
        away.ping()
    assert is_unavailable(refused.value)
    with database.session() as session, pytest.raises(exc.ProgrammingError) as mistake:
        session.execute(text("SELECT nonsense"))
    assert not is_unavailable(mistake.value)
    with database.session() as session, pytest.raises(exc.DBAPIError) as ended:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert is_unavailable(ended.value)
    database.ping()  # the pool finds out by itself


def test_an_exhausted_pool_is_told_as_unavailable(url: str) -> None:
    small = Database(url, pool_size=1)
    with small.transaction() as unit:
        unit.session.execute(text("SELECT 1"))
        with pytest.raises(exc.TimeoutError) as exhausted:
            small.ping()
    assert is_unavailable(exhausted.value)
    small.dispose()


def test_migrating_by_many_at_once_is_harmless(url: str) -> None:
    failures: list[BaseException] = []

    def migrate() -> None:
        try:
            migrations.upgrade(url, PACKAGE)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=migrate) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_one_leads_until_it_resigns(url: str) -> None:
    first, second, else_ = Leader(url, "a"), Leader(url, "a"), Leader(url, "b")
    assert first.lead()
    assert not second.lead()
    assert else_.lead(), "another name is another lead"
    first.resign()
    assert second.lead()
    for leader in (second, else_):
        leader.resign()
