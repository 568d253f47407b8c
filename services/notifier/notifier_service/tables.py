"""The notifier's tables: messages, and every attempt to send one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_now = func.clock_timestamp()
_zoned = DateTime(timezone=True)
_PENDING = "state IN ('created', 'sending', 'temporary')"


class Base(DeclarativeBase):
    """The notifier's own tables."""


class Notification(Base):
    """One message to one citizen about one event. Its text is never kept, its hash is."""

    __tablename__ = "notifications"
    __table_args__ = (
        CheckConstraint(
            "state IN ('created', 'sending', 'temporary', 'sent', 'failed', 'not_sent')",
            name="ck_notifications_state",
        ),
        Index("ix_notifications_due", "due_at", postgresql_where=text(_PENDING)),
        Index("ix_notifications_pending_since", "created_at", postgresql_where=text(_PENDING)),
        Index("ix_notifications_recipient", "recipient_id", "dossier_id"),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    channel: Mapped[str] = mapped_column(Text)
    template: Mapped[str] = mapped_column(Text)
    template_version: Mapped[int] = mapped_column(Integer)
    recipient_id: Mapped[UUID] = mapped_column(Uuid)
    event_id: Mapped[UUID] = mapped_column(Uuid)
    dossier_id: Mapped[UUID | None] = mapped_column(Uuid)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(Text, server_default="created")
    reason: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str | None] = mapped_column(Text)
    body_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    due_at: Mapped[datetime] = mapped_column(_zoned, server_default=_now)
    """When to try next; while ``sending``, when the worker's lease ends."""
    created_at: Mapped[datetime] = mapped_column(_zoned, server_default=_now)
    """When the fact it tells came about, by which its age counts."""
    sent_at: Mapped[datetime | None] = mapped_column(_zoned)
    request_id: Mapped[str | None] = mapped_column(Text)
    traceparent: Mapped[str | None] = mapped_column(Text)


class Attempt(Base):
    """One attempt; without an end it was interrupted, and the message may have left or not."""

    __tablename__ = "attempts"
    __table_args__ = (UniqueConstraint("notification_id", "number", name="uq_attempts_number"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    notification_id: Mapped[UUID] = mapped_column(ForeignKey("notifications.id"))
    number: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(_zoned, server_default=_now)
    ended_at: Mapped[datetime | None] = mapped_column(_zoned)
    outcome: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)


metadata = Base.metadata
