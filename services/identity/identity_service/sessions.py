"""Our own single sign-on session: opened by a login, found by a cookie, ended by a logout."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from espace.clock import utcnow
from identity_service import logouts, secret
from identity_service.clients import ClientRegistry
from identity_service.tables import CitizenRow, FamilyRow, SessionRow

COOKIE = "__Host-mes-identite"
LIFETIME = timedelta(hours=12)
IDLE = timedelta(minutes=30)


@dataclass(frozen=True)
class Login:
    """How a citizen has just shown who she is."""

    citizen_id: UUID
    means: str
    level: int
    amr: tuple[str, ...]
    auth_time: datetime


def find(session: Session, cookie: str | None) -> SessionRow | None:
    """The living session of a browser."""
    if not cookie:
        return None
    now = utcnow()
    return session.scalar(
        select(SessionRow)
        .join(CitizenRow)
        .where(
            SessionRow.secret_hash == secret.hashed(cookie),
            SessionRow.ended_at.is_(None),
            SessionRow.expires_at > now,
            SessionRow.seen_at > now - IDLE,
            CitizenRow.disabled_at.is_(None),
        )
    )


def start(
    session: Session, clients: ClientRegistry, before: SessionRow | None, login: Login
) -> tuple[SessionRow, str]:
    """The session after a login, and the new secret for its cookie (never the one the browser had).

    The same citizen again (a step-up) keeps her session and its tokens; another citizen ends it.
    """
    cookie, now = secret.fresh(), utcnow()
    if before is not None and before.citizen_id != login.citizen_id:
        end(session, clients, before, "another citizen")
        before = None
    row = before or SessionRow(citizen_id=login.citizen_id, expires_at=now + LIFETIME)
    row.secret_hash = secret.hashed(cookie)
    row.means, row.level, row.amr = login.means, login.level, list(login.amr)
    row.auth_time, row.seen_at = login.auth_time, now
    row.expires_at = now + LIFETIME
    session.add(row)
    session.flush()
    return row, cookie


def end(session: Session, clients: ClientRegistry, row: SessionRow, reason: str) -> None:
    """End a session: its tokens are revoked and its clients told."""
    now = utcnow()
    if row.ended_at is not None:
        return
    row.ended_at = now
    logouts.queue(session, clients, row)
    session.execute(
        update(FamilyRow)
        .where(FamilyRow.session_id == row.id, FamilyRow.revoked_at.is_(None))
        .values(revoked_at=now, revoked_because=reason)
    )
