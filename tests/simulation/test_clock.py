"""The clock of stories says what the shared file's clock would say."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from espace.clock import LegalClock
from espace.db import Database
from espace_stack.servers import Addresses
from tests.simulation.clock import BEGINNING, SimulatedClock


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_it_stands_still_until_it_is_moved_and_the_database_says_so(
    parts: Addresses, tmp_path: Path, kind: str
) -> None:
    moved = SimulatedClock()
    file = tmp_path / "legal.json"
    moved.state().save(file)
    clock = moved if kind == "memory" else LegalClock(file, "test")
    database = Database(parts.postgres)
    with database.session() as session:
        assert clock.now(session) == clock.now(session) == BEGINNING
        moved.move(timedelta(days=3, microseconds=1))
        moved.state().save(file)
        assert clock.now(session) == BEGINNING + timedelta(days=3, microseconds=1)
        assert session.scalars(select(clock.sql_now())).one() == clock.now(session)
    database.dispose()
