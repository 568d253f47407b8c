"""Logins in the making: one row each, bound to a browser by a short-lived cookie."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from espace.clock import utcnow
from identity_service import secret
from identity_service.tables import LoginRow

COOKIE = "__Host-mes-connexion"
LIFETIME = timedelta(minutes=15)


def begin(session: Session, cookie: str, request: dict[str, str], level: int) -> LoginRow:
    """Note a client's request whose citizen has yet to log in."""
    now = utcnow()
    row = LoginRow(
        browser_hash=secret.hashed(cookie),
        request=request,
        level=level,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    session.add(row)
    session.flush()
    return row


def find(session: Session, cookie: str | None, login_id: UUID | None) -> LoginRow | None:
    """The login, if it is this browser's and still open; locked."""
    if not cookie or login_id is None:
        return None
    return session.scalar(
        select(LoginRow)
        .where(
            LoginRow.id == login_id,
            LoginRow.browser_hash == secret.hashed(cookie),
            LoginRow.expires_at > utcnow(),
        )
        .with_for_update()
    )


def send_upstream(row: LoginRow, means: str) -> dict[str, str]:
    """Fresh secrets for one trip to the login source; an earlier trip can no longer come back."""
    state, row.nonce, row.code_verifier = secret.fresh(), secret.fresh(), secret.fresh()
    row.means, row.state_hash, row.sent_at = means, secret.hashed(state), utcnow()
    return {"state": state, "nonce": row.nonce, "code_verifier": row.code_verifier}


def come_back(session: Session, cookie: str | None, state: str) -> tuple[LoginRow, dict[str, Any]] | None:
    """The login a state belongs to, in this browser, once: the state is used up."""
    if not cookie or not state:
        return None
    row = session.scalar(
        select(LoginRow)
        .where(
            LoginRow.state_hash == secret.hashed(state),
            LoginRow.browser_hash == secret.hashed(cookie),
            LoginRow.expires_at > utcnow(),
        )
        .with_for_update()
    )
    if row is None:
        return None
    trip = {"nonce": row.nonce, "code_verifier": row.code_verifier}
    row.state_hash = row.nonce = row.code_verifier = None
    return row, trip


def finish(session: Session, row_id: UUID) -> bool:
    """Close a login; False when something else closed it meanwhile."""
    gone = session.execute(delete(LoginRow).where(LoginRow.id == row_id).returning(LoginRow.id))
    return gone.scalar() is not None
