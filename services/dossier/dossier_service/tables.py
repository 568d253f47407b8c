"""Where everything is kept: the tables of the service, and its classes mapped onto them."""

import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Sequence,
    Table,
    Text,
    Uuid,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import registry, relationship

from dossier_service.claims.model import Attachment, Dossier
from dossier_service.information_requests.model import InformationRequest, RequestPiece

metadata = MetaData()
mapper = registry(metadata=metadata)
_Instant = DateTime(timezone=True)

dossier_numbers = Sequence("dossier_numbers", metadata=metadata)

dossiers = Table(
    "dossiers",
    metadata,
    Column[uuid.UUID]("id", Uuid, primary_key=True),
    Column[uuid.UUID]("citizen_id", Uuid, nullable=False),
    Column[str]("procedure", Text, nullable=False),
    Column[int]("procedure_version", Integer, nullable=False),
    Column[Any]("prefilled", JSONB, nullable=False),
    Column[Any]("typed", JSONB, nullable=False),
    Column[str]("state", Text, nullable=False),
    Column[int]("version", BigInteger, nullable=False),
    Column[datetime]("created_at", _Instant, nullable=False),
    Column[datetime]("saved_at", _Instant, nullable=False),
    Column[datetime | None]("validated_at", _Instant),
    Column[str | None]("values_sha256", Text),
    Column[str | None]("number", Text, unique=True),
    Column[datetime | None]("received_at", _Instant),
    Column[str | None]("deposited_sha256", Text),
    Column[str | None]("unique_key", Text),
    Column[datetime | None]("withdrawn_at", _Instant),
    Column[bool]("synthetic", Boolean, nullable=False, server_default=false()),
    Index("ix_dossiers_citizen_saved", "citizen_id", "saved_at"),
    Index("ix_dossiers_synthetic", "created_at", postgresql_where=text("synthetic")),
    Index(
        "uq_dossiers_one_deposit",
        "citizen_id",
        "unique_key",
        unique=True,
        postgresql_where=text("unique_key IS NOT NULL"),
    ),
)
"""``unique_key`` is set from the deposit to the withdrawal: one claim per election, constituency, citizen."""


def _piece_columns() -> list[Column[Any]]:
    return [
        Column("document_id", Uuid, primary_key=True),
        Column("slot", Text, nullable=False),
        Column("filename", Text, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("sha256", Text, nullable=False),
        Column("content_type", Text, nullable=False),
        Column("added_at", _Instant, nullable=False),
    ]


attachments = Table(
    "attachments",
    metadata,
    *_piece_columns(),
    Column[uuid.UUID]("dossier_id", Uuid, ForeignKey("dossiers.id"), nullable=False, index=True),
)

information_requests = Table(
    "information_requests",
    metadata,
    Column[uuid.UUID]("id", Uuid, primary_key=True),
    Column[uuid.UUID]("dossier_id", Uuid, ForeignKey("dossiers.id"), nullable=False, index=True),
    Column[str]("origin", Text, nullable=False),
    Column[str]("element", Text, nullable=False),
    Column[datetime]("opened_at", _Instant, nullable=False),
    Column[date]("due_date", Date, nullable=False),
    Column[datetime]("due_at", _Instant, nullable=False),
    Column[Any]("reasons", JSONB, nullable=False),
    Column[str]("state", Text, nullable=False),
    Column[int]("deadline_version", BigInteger, nullable=False),
    Column[datetime | None]("answered_at", _Instant),
    Column[bool]("late", Boolean, nullable=False),
    Column[datetime | None]("lapsed_at", _Instant),
)

information_request_pieces = Table(
    "information_request_pieces",
    metadata,
    *_piece_columns(),
    Column[uuid.UUID]("request_id", Uuid, ForeignKey("information_requests.id"), nullable=False, index=True),
    Column[datetime | None]("sent_at", _Instant),
)

receipt_attempts = Table(
    "receipt_attempts",
    metadata,
    Column[uuid.UUID]("citizen_id", Uuid, primary_key=True),
    Column[str]("key", Text, primary_key=True),
    Column[uuid.UUID]("target_id", Uuid, primary_key=True),
    Column[str]("body_sha256", Text, nullable=False),
    Column[datetime]("received_at", _Instant, nullable=False),
    Column[datetime]("arrived_at", _Instant, nullable=False, server_default=func.clock_timestamp()),
    Column[datetime | None]("settled_at", _Instant),
    Index("ix_receipt_attempts_target", "target_id"),
    Index("ix_receipt_attempts_arrived_at", "arrived_at"),
)
"""When a deposit or an answer arrived: legal time (``received_at``), real time (``arrived_at``), and when it
took effect or was refused (``settled_at``). ``target_id`` is the dossier or the request."""

document_scans = Table(
    "document_scans",
    metadata,
    Column[uuid.UUID]("document_id", Uuid, primary_key=True),
    Column[str]("outcome", Text, nullable=False),
    Column[int]("version", BigInteger, nullable=False),
)
"""A projection of documents' scans; a scan may be known before its document is attached."""

mapper.map_imperatively(Attachment, attachments)
mapper.map_imperatively(
    Dossier,
    dossiers,
    properties={
        "attachments": relationship(
            Attachment,
            cascade="all, delete-orphan",
            order_by=(attachments.c.added_at, attachments.c.document_id),
            lazy="selectin",
        )
    },
)
mapper.map_imperatively(RequestPiece, information_request_pieces)
mapper.map_imperatively(
    InformationRequest,
    information_requests,
    properties={
        "pieces": relationship(
            RequestPiece,
            cascade="all, delete-orphan",
            order_by=(information_request_pieces.c.added_at, information_request_pieces.c.document_id),
            lazy="selectin",
        )
    },
)
