"""The migrations and the tables say the same; so do the API and its description."""

import json
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import MetaData

from dossier_service.tables import metadata
from espace.db import Database, kit_metadata

OUTSIDE = {"outsiders", "recorded_in", "ix_event_log_recorded_in"}
"""The kit's, in statements of its own: see espace.outside.outsiders."""
OPENAPI = Path(__file__).parents[1] / "openapi.json"


def test_migrations_lead_to_the_tables(database: Database) -> None:
    everything = MetaData()
    for table in (*metadata.tables.values(), *kit_metadata.tables.values()):
        table.to_metadata(everything)
    with database.engine.connect() as connection:
        options = {"compare_server_default": True, "include_object": _is_a_table_of_ours}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, everything) == []


def test_the_description_kept_is_the_one_served(app: Flask) -> None:
    served = app.test_client().get("/api/dossier/openapi.json").get_json()
    assert served["paths"] == json.loads(OPENAPI.read_text(encoding="utf-8"))["paths"]


def _is_a_table_of_ours(_object: object, name: str | None, *_: object) -> bool:
    return name not in OUTSIDE
