"""Readiness asks for the schema that the program needs, as long as it is not there."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import exc, text

from espace.db import Database, MigrateFirst, Revision, migrations
from espace.db.revision import await_head, head
from espace.testing import until

PACKAGE = "deadline_scheduler_service"
PACKAGES = (
    *("identity_service", "profile_service", "dossier_service", "documents_service", "notifier_service"),
    *(PACKAGE, "espace_web"),
)


@pytest.fixture
def database(fresh_database: Callable[[str], str]) -> Iterator[Database]:
    made = Database(fresh_database(PACKAGE))
    yield made
    made.dispose()


def at(database: Database, revision: str) -> None:
    with database.transaction() as unit:
        unit.session.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})


@pytest.mark.parametrize("package", PACKAGES)
def test_the_newest_file_is_what_alembic_leads_to(package: str) -> None:
    assert head(package) == ScriptDirectory.from_config(migrations._config(package)).get_current_head()


def test_a_package_without_migrations_needs_none(database: Database) -> None:
    assert head("espace") == ""
    Revision(database, "espace").check()


def test_an_older_schema_is_not_ready_and_a_newer_one_is(database: Database) -> None:
    at(database, "0000")
    revision = Revision(database, PACKAGE)
    with pytest.raises(
        MigrateFirst, match=f"migrate first: the schema is at 0000, {revision.head} is needed"
    ):
        revision.check()
    at(database, "9999")
    revision.check()


def test_what_was_reached_is_not_asked_again(database: Database) -> None:
    revision = Revision(database, PACKAGE)
    revision.check()
    database.dispose()
    at(database, "0000")
    revision.check()
    with pytest.raises(MigrateFirst):
        Revision(database, PACKAGE).check()


def test_an_empty_database_is_not_ready(database: Database) -> None:
    with database.transaction() as unit:
        unit.session.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(MigrateFirst, match="at nothing"):
        Revision(database, PACKAGE).check()


def test_a_database_that_is_away_says_so_itself() -> None:
    with pytest.raises(exc.OperationalError):
        Revision(Database("postgresql+psycopg://nobody@127.0.0.1:1/none"), PACKAGE).check()


def test_waiting_ends_at_once_where_the_schema_is_there(database: Database) -> None:
    assert await_head(database.url, PACKAGE, pytest.fail)


def test_waiting_goes_on_until_someone_else_has_migrated(database: Database) -> None:
    at(database, "0000")

    def pause(_seconds: float) -> bool:
        at(database, head(PACKAGE))
        return False

    assert await_head(database.url, PACKAGE, pause)


def test_waiting_is_given_up_when_asked_to_and_has_changed_nothing(database: Database) -> None:
    at(database, "0000")
    assert not await_head(database.url, PACKAGE, lambda _seconds: True)
    with pytest.raises(MigrateFirst, match="at 0000"):
        Revision(database, PACKAGE).check()


@pytest.mark.asynchronous
def test_command_waits_says_for_what_and_ends_when_it_is_there(database: Database, tmp_path: Path) -> None:
    at(database, "0000")
    with waiting(database.url, tmp_path / "log") as process:
        at(database, head(PACKAGE))
        assert process.wait(20) == 0


@pytest.mark.asynchronous
@pytest.mark.parametrize("there", [True, False])
def test_command_that_waits_ends_on_sigterm(database: Database, tmp_path: Path, there: bool) -> None:
    at(database, "0000")
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    with waiting(database.url if there else nowhere, tmp_path / "log") as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 1


@contextmanager
def waiting(database_url: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``migrate --wait``, once it has said that it waits."""
    command = [sys.executable, "-m", PACKAGE, "migrate", "--wait"]
    environment = {**os.environ, "ESPACE_DATABASE_URL": database_url}
    with log.open("wb") as out, subprocess.Popen(command, env=environment, stdout=out, stderr=out) as process:
        try:
            until("word that it waits", lambda: "migration.awaited" in log.read_text())
            yield process
        finally:
            process.kill()
