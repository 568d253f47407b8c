"""Readiness asks for the schema that the program needs, as long as it is not there."""

from collections.abc import Callable, Iterator

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import exc, text

from espace.db import Database, MigrateFirst, Revision, migrations
from espace.db.revision import head

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
