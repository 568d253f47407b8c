"""What web keeps: its sessions, the forms saved when one ended, and the logout notices already obeyed."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import DateTime, MetaData, Text, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

metadata = MetaData()


class Base(DeclarativeBase):
    """Base of web's own tables."""

    metadata = metadata


class SessionRow(Base):
    """One signed-in browser. The cookie's value is not here: only its SHA-256 is.

    Once it is over, ``ended_at`` is set and ``sealed`` is gone.
    """

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    token_hash: Mapped[bytes] = mapped_column(BYTEA, unique=True)
    citizen_id: Mapped[str] = mapped_column(Text, index=True)
    sid: Mapped[str | None] = mapped_column(Text, index=True)
    sealed: Mapped[bytes | None] = mapped_column(BYTEA)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), index=True)


class KeptForm(Base):
    """What a citizen had typed when the session was found to be over; given back at the next login."""

    __tablename__ = "kept_forms"
    __table_args__ = (UniqueConstraint("citizen_id", "path"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    citizen_id: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    sealed: Mapped[bytes] = mapped_column(BYTEA)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class LogoutNotice(Base):
    """The ``jti`` of a back-channel logout token: each is obeyed once."""

    __tablename__ = "logout_notices"

    jti: Mapped[str] = mapped_column(Text, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
