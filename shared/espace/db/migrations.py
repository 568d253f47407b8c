"""Schema migrations: Alembic, one runner at a time, forward only.

Readiness compares revisions without it, see :mod:`espace.db.revision`.
"""

import importlib.util
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.operations import Operations
from sqlalchemy import Connection, MetaData, NullPool, create_engine, text

from espace.db.database import CONNECT_ARGS

_ADVISORY_LOCK = 0x65737061  # "espa"
LOCK_TIMEOUT_MS = 120_000
"""How long to wait for another runner, or for a table in use, before the migration fails."""

KIT_V1 = (
    """CREATE TABLE event_log (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id uuid NOT NULL UNIQUE,
        type text NOT NULL,
        subject text NOT NULL,
        version bigint NOT NULL,
        time timestamptz NOT NULL,
        data jsonb NOT NULL,
        request_id text,
        traceparent text)""",
    "CREATE INDEX ix_event_log_subject ON event_log (subject)",
    """CREATE TABLE outbox (
        position bigint PRIMARY KEY REFERENCES event_log (position),
        created_at timestamptz NOT NULL DEFAULT clock_timestamp())""",
    """CREATE TABLE inbox (
        event_id uuid PRIMARY KEY,
        type text NOT NULL,
        received_at timestamptz NOT NULL DEFAULT clock_timestamp())""",
    "CREATE INDEX ix_inbox_received_at ON inbox (received_at)",
    """CREATE TABLE idempotency_keys (
        principal text NOT NULL,
        key text NOT NULL,
        route text NOT NULL,
        body_hash bytea NOT NULL,
        status integer NOT NULL,
        headers jsonb NOT NULL,
        body bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (principal, key, route))""",
    "CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)",
)


def create_kit_tables(op: Operations) -> None:
    """The kit's tables as they were first released; called by each service's first migration."""
    for statement in KIT_V1:
        op.execute(statement)


def upgrade(database_url: str, package: str) -> None:
    """Bring a database to the newest schema of ``package``. Run again, or by many at once, it is harmless."""
    engine = create_engine(
        database_url,
        hide_parameters=True,
        poolclass=NullPool,
        connect_args={
            **CONNECT_ARGS,
            "application_name": f"{package} migrate",
            "options": f"-c lock_timeout={LOCK_TIMEOUT_MS}",
        },
    )
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
        connection.commit()
        config = _config(package)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})
        connection.commit()
    engine.dispose()


def run_env(metadata: MetaData) -> None:
    """The whole of a service's ``migrations/env.py``."""
    connection: Connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def _config(package: str) -> Config:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed", name=package)
    config = Config()
    config.set_main_option("path_separator", "os")
    config.set_main_option("script_location", str(Path(spec.origin).parent / "migrations"))
    return config
