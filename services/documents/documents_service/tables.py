"""How documents and deposit manifests are stored."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.orm import registry

from documents_service.model.document import Document


@dataclass(kw_only=True)
class Manifest:
    """The list of what was deposited at once, sealed; written to the store by a loop."""

    event_id: uuid.UUID
    dossier_id: uuid.UUID
    body: str
    created_at: datetime
    written_at: datetime | None = None
    request_id: str | None = None
    traceparent: str | None = None

    @property
    def key(self) -> str:
        """Where the manifest is kept."""
        return f"manifests/{self.dossier_id}/{self.event_id}.json"


def _instant(name: str, **options: Any) -> Column[Any]:
    return Column(name, DateTime(timezone=True), **options)


mapper = registry()
metadata = mapper.metadata

documents = Table(
    "documents",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("owner_id", Uuid, nullable=False),
    Column("dossier_id", Uuid, nullable=False),
    Column("slot", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("declared_type", Text, nullable=False),
    _instant("created_at", nullable=False),
    _instant("expires_at", nullable=False),
    Column("state", Text, nullable=False),
    Column("refusal", Text),
    Column("content_type", Text),
    Column("etag", Text),
    Column("statement", Text),
    _instant("verified_at"),
    Column("scan", Text),
    Column("scan_signature", Text),
    _instant("scan_due_at"),
    Column("scan_attempts", Integer, nullable=False),
    _instant("scanned_at"),
    _instant("deposited_at"),
    _instant("sweep_due_at"),
    _instant("incoming_removed_at"),
    Column("request_id", Text),
    Column("traceparent", Text),
    Column("version", Integer, nullable=False),
    CheckConstraint("state IN ('registered', 'verified', 'refused', 'expired')", name="ck_documents_state"),
    CheckConstraint("scan IN ('pending', 'clean', 'infected', 'not_scanned')", name="ck_documents_scan"),
    CheckConstraint("(state = 'verified') = (verified_at IS NOT NULL)", name="ck_documents_verified"),
    Index("ix_documents_dossier", "dossier_id"),
)
Index("ix_documents_registered", documents.c.sweep_due_at, postgresql_where=documents.c.state == "registered")
Index("ix_documents_scan_due", documents.c.scan_due_at, postgresql_where=documents.c.scan == "pending")
Index(
    "ix_documents_to_remove",
    documents.c.expires_at,
    postgresql_where=(documents.c.incoming_removed_at.is_(None)) & (documents.c.state != "registered"),
)

manifests = Table(
    "manifests",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("dossier_id", Uuid, nullable=False),
    Column("body", Text, nullable=False),
    _instant("created_at", nullable=False, server_default=func.clock_timestamp()),
    _instant("written_at"),
    Column("request_id", Text),
    Column("traceparent", Text),
)
Index("ix_manifests_unwritten", manifests.c.created_at, postgresql_where=manifests.c.written_at.is_(None))

mapper.map_imperatively(Document, documents)
mapper.map_imperatively(Manifest, manifests)
