"""Legal time as the database says it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, DateTime, MetaData, Table, func, insert, select, text
from sqlalchemy.orm import Session

from espace.clock import LegalClock, LegalTime
from espace.db import Database

FROZEN = datetime(2024, 10, 21, 21, 59, 59, 900_000, tzinfo=UTC)
deadlines = Table("legal_deadlines", MetaData(), Column[datetime]("due_at", DateTime(timezone=True)))


@pytest.fixture
def session(parts: Any) -> Iterator[Session]:
    database = Database(parts.postgres)
    with database.session() as session:
        yield session
    database.dispose()


def test_without_a_file_it_is_the_databases_clock(session: Session) -> None:
    now = LegalClock(None, "production").now(session)
    assert now.tzinfo is UTC
    assert abs(now - session.scalars(select(func.clock_timestamp())).one()) < timedelta(seconds=5)


def test_offset_is_added_and_time_goes_on(session: Session, tmp_path: Path) -> None:
    LegalTime(timedelta(days=-770, microseconds=1)).save(tmp_path / "legal.json")
    clock = LegalClock(tmp_path / "legal.json", "demo")
    first, second = clock.now(session), clock.now(session)
    assert first < second
    real = session.scalars(select(func.clock_timestamp())).one()
    assert abs(real - timedelta(days=770) - second) < timedelta(seconds=5)


def test_frozen_instant_is_kept_to_the_microsecond_in_any_session_zone(
    session: Session, tmp_path: Path
) -> None:
    LegalTime(frozen=FROZEN).save(tmp_path / "legal.json")
    clock = LegalClock(tmp_path / "legal.json", "test")
    session.execute(text("SET LOCAL TIME ZONE 'America/Bogota'"))
    assert clock.now(session) == clock.now(session) == FROZEN


@pytest.mark.parametrize("state", [LegalTime(), LegalTime(timedelta(days=-770)), LegalTime(frozen=FROZEN)])
def test_condition_compares_rows_with_legal_time_by_the_index(
    parts: Any, tmp_path: Path, state: LegalTime
) -> None:
    state.save(tmp_path / "legal.json")
    clock = LegalClock(tmp_path / "legal.json", "test")
    database = Database(parts.postgres)
    with database.engine.connect() as connection, connection.begin() as transaction:
        connection.execute(text("CREATE TEMPORARY TABLE legal_deadlines (due_at timestamptz)"))
        connection.execute(text("CREATE INDEX ON legal_deadlines (due_at)"))
        now = clock.now(Session(connection))
        rows = [{"due_at": now + timedelta(hours=hours)} for hours in (-2, -1, 1)]
        connection.execute(insert(deadlines), rows)
        due = select(deadlines).where(deadlines.c.due_at <= clock.sql_now())
        assert len(connection.execute(due).all()) == 2
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        compiled = due.compile(connection)
        plan = connection.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params).scalars().all()
        assert any("Index Cond" in line for line in plan), plan
        transaction.rollback()
    database.dispose()
