"""What a worker tells of its database."""

from collections.abc import Callable, Iterator

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from espace.clock import utcnow
from espace.db import Database
from espace.db.reports import report_state


def told(name: str) -> float | None:
    return REGISTRY.get_sample_value(f"espace_{name}")


@pytest.fixture
def look(fresh_database: Callable[[str], str]) -> Iterator[Callable[..., None]]:
    database = Database(fresh_database("deadline_scheduler_service"), pool_size=3)

    def look(*statements: str) -> None:
        with database.transaction() as unit:
            for statement in statements:
                unit.session.execute(text(statement))
        with database.session() as session:
            report_state(session)

    yield look
    database.dispose()


def test_outbox_and_inbox_are_told_whether_or_not_a_relay_runs(look: Callable[..., None]) -> None:
    look()
    assert (told("outbox_unpublished"), told("outbox_oldest_age_seconds")) == (0, 0)
    look(
        "INSERT INTO event_log (id, type, subject, version, time, data) "
        "SELECT gen_random_uuid(), 't', 's', 1, now(), '{}' FROM generate_series(1, 2)",
        "INSERT INTO outbox SELECT position, now() - interval '90 seconds' FROM event_log",
        "INSERT INTO inbox VALUES (gen_random_uuid(), 't', now() - interval '60 seconds')",
    )
    assert told("outbox_unpublished") == 2
    assert told("outbox_oldest_age_seconds") == pytest.approx(90, abs=20)
    assert told("inbox_newest_timestamp_seconds") == pytest.approx(utcnow().timestamp() - 60, abs=20)


def test_size_connections_and_clocks_are_told(look: Callable[..., None]) -> None:
    look()
    assert (told("db_size_bytes") or 0) > 1_000_000
    assert (told("db_connections") or 0) >= 1
    assert told("clock_offset_seconds") == pytest.approx(0, abs=1)
