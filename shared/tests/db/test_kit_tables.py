"""The released DDL and the tables say the same."""

from collections.abc import Callable

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from espace.db import Database, kit_metadata


def test_the_kit_s_migration_leads_to_its_tables(fresh_database: Callable[[str], str]) -> None:
    database = Database(fresh_database("deadline_scheduler_service"))

    def ours(_object: object, name: str | None, type_: str, *_: object) -> bool:
        return type_ != "table" or name in kit_metadata.tables

    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_server_default": True, "include_object": ours}
        )
        assert compare_metadata(context, kit_metadata) == []
    database.dispose()
