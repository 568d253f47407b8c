"""The migrations make the tables that the code expects; events are those the queue is bound to."""

from collections.abc import Callable

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from espace import contracts
from espace.bus import topology
from espace.db import kit_metadata
from notifier_service.events import MESSAGES
from notifier_service.tables import metadata


def test_migrations_and_tables_agree(fresh_database: Callable[[str], str]) -> None:
    engine = create_engine(fresh_database("notifier_service"))
    with engine.connect() as connection:
        kit = {"alembic_version", *kit_metadata.tables}
        context = MigrationContext.configure(
            connection, opts={"include_object": lambda _o, name, kind, *_: kind != "table" or name not in kit}
        )
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_each_subscribed_event_has_its_message_and_its_contract() -> None:
    assert set(MESSAGES) == topology.SUBSCRIPTIONS["notifier"]
    assert set(MESSAGES) <= set(contracts.schemas())
    assert len(set(MESSAGES.values())) == len(MESSAGES)
