"""The kit's tables, the same in each service's database.

They are created by ``espace.db.migrations.create_kit_tables`` in a service's first migration; a service's
own ``metadata`` stays free of them.
"""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

kit_metadata = MetaData()

_now = func.clock_timestamp()

event_log = Table(
    "event_log",
    kit_metadata,
    Column[int]("position", BigInteger, Identity(always=True), primary_key=True),
    Column[uuid.UUID]("id", Uuid, nullable=False, unique=True),
    Column[str]("type", Text, nullable=False),
    Column[str]("subject", Text, nullable=False, index=True),
    Column[int]("version", BigInteger, nullable=False),
    Column[datetime]("time", DateTime(timezone=True), nullable=False),
    Column[Any]("data", JSONB, nullable=False),
    Column[str | None]("request_id", Text),
    Column[str | None]("traceparent", Text),
)
"""Every fact this service ever published, append-only: history and replay."""

outbox = Table(
    "outbox",
    kit_metadata,
    Column[int](
        "position",
        BigInteger,
        ForeignKey("event_log.position"),
        primary_key=True,
        autoincrement=False,
    ),
    Column[datetime]("created_at", DateTime(timezone=True), nullable=False, server_default=_now),
)
"""Which facts the broker has not confirmed yet."""

inbox = Table(
    "inbox",
    kit_metadata,
    Column[uuid.UUID]("event_id", Uuid, primary_key=True),
    Column[str]("type", Text, nullable=False),
    Column[datetime]("received_at", DateTime(timezone=True), nullable=False, server_default=_now, index=True),
)
"""Which events this service has already applied; one consumer per database, so the event's id is the key."""

idempotency_keys = Table(
    "idempotency_keys",
    kit_metadata,
    Column[str]("principal", Text, primary_key=True),
    Column[str]("key", Text, primary_key=True),
    Column[str]("route", Text, primary_key=True),
    Column[bytes]("body_hash", LargeBinary, nullable=False),
    Column[int]("status", Integer, nullable=False),
    Column[Any]("headers", JSONB, nullable=False),
    Column[bytes]("body", LargeBinary, nullable=False),
    Column[datetime]("created_at", DateTime(timezone=True), nullable=False, server_default=_now, index=True),
)
"""Answers already given to unsafe requests; ``route`` is method and path."""
