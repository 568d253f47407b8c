"""Identity's tables. Secrets are kept as hashes, personal facts sealed; times are technical time."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import DateTime, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import Text


class Base(DeclarativeBase):
    """All tables of identity."""

    type_annotation_map = {  # noqa: RUF012  SQLAlchemy reads it from the class
        datetime: DateTime(timezone=True),
        bytes: LargeBinary,
        str: Text,
        dict[str, Any]: JSONB,
        list[str]: ARRAY(Text),
    }


class CitizenRow(Base):
    """A citizen; without ``wrapped_key`` she is erased and only the id remains."""

    __tablename__ = "citizens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    number_hash: Mapped[bytes | None] = mapped_column(unique=True)
    wrapped_key: Mapped[bytes | None]
    facts: Mapped[bytes | None]
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]


class SourceRow(Base):
    """What a login source calls a citizen."""

    __tablename__ = "sources"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    citizen_id: Mapped[UUID] = mapped_column(ForeignKey("citizens.id"), index=True)
    created_at: Mapped[datetime]


class LoginRow(Base):
    """One login in the making, bound to one browser; ``state_hash`` is there while it is upstream."""

    __tablename__ = "logins"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    browser_hash: Mapped[bytes]
    request: Mapped[dict[str, Any]]
    level: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    means: Mapped[str | None]
    state_hash: Mapped[bytes | None] = mapped_column(unique=True)
    nonce: Mapped[str | None]
    code_verifier: Mapped[str | None]
    sent_at: Mapped[datetime | None]


class SessionRow(Base):
    """A browser that is logged in here; ``id`` is the ``sid`` of tokens, the cookie holds a secret."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    secret_hash: Mapped[bytes] = mapped_column(unique=True)
    citizen_id: Mapped[UUID] = mapped_column(ForeignKey("citizens.id"), index=True)
    means: Mapped[str]
    level: Mapped[int]
    amr: Mapped[list[str]]
    auth_time: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class FamilyRow(Base):
    """All tokens that came from one code; revoked as one."""

    __tablename__ = "token_families"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id"), index=True)
    citizen_id: Mapped[UUID] = mapped_column(ForeignKey("citizens.id"), index=True)
    client_id: Mapped[str]
    scope: Mapped[str]
    level: Mapped[int]
    amr: Mapped[list[str]]
    auth_time: Mapped[datetime]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]
    revoked_because: Mapped[str | None]


class CodeRow(Base):
    """An authorization code; ``used_at`` is set by whoever takes it first."""

    __tablename__ = "authorization_codes"

    code_hash: Mapped[bytes] = mapped_column(primary_key=True)
    family_id: Mapped[UUID] = mapped_column(ForeignKey("token_families.id"), index=True)
    client_id: Mapped[str]
    redirect_uri: Mapped[str]
    nonce: Mapped[str | None]
    code_challenge: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class RefreshRow(Base):
    """A refresh token; good once."""

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    family_id: Mapped[UUID] = mapped_column(ForeignKey("token_families.id"), index=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class LogoutRow(Base):
    """A back-channel logout to deliver; tried until it is taken or pointless."""

    __tablename__ = "logout_deliveries"
    __table_args__ = (
        Index("ix_logout_deliveries_due", "next_attempt_at", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    client_id: Mapped[str]
    session_id: Mapped[UUID]
    citizen_id: Mapped[UUID]
    created_at: Mapped[datetime]
    attempts: Mapped[int]
    next_attempt_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]


class LimitRow(Base):
    """How often something happened in one window; the bucket is a hash."""

    __tablename__ = "limits"

    bucket: Mapped[bytes] = mapped_column(primary_key=True)
    minute: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]
