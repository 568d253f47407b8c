"""The migrations and the tables say the same."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData

from deadline_scheduler_service.tables import metadata
from espace.db import kit_metadata


def test_migrations_lead_to_the_tables(scheduler: Any) -> None:
    everything = MetaData()
    for table in (*metadata.tables.values(), *kit_metadata.tables.values()):
        table.to_metadata(everything)
    with scheduler.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, everything) == []
