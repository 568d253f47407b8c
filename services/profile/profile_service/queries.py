"""What pages and other services read."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from profile_service import links, store
from profile_service.model import LinkState, Notice, Profile
from profile_service.tables import notices


def profile(session: Session, citizen_id: UUID, *, language: str) -> dict[str, Any]:
    """Everything of one profile; for a citizen we never met, what it would be."""
    found = store.find(session, citizen_id) or Profile(citizen_id, language)
    seen = session.execute(select(notices).where(notices.c.citizen_id == citizen_id))
    return {
        "citizen_id": citizen_id,
        "language": found.language,
        "private_email": found.private_email,
        "pending_email": found.pending.email if found.pending else None,
        "space": found.space().value,
        "confirmation_expires_at": found.pending.expires_at if found.pending else None,
        "notices": {notice.value: {"version": "", "hidden": False} for notice in Notice}
        | {row.notice: {"version": row.version, "hidden": row.hidden} for row in seen},
    }


def contact(session: Session, citizen_id: UUID) -> dict[str, Any]:
    """Where and in which language to write to a citizen; ``email`` is None until one is confirmed."""
    found = store.find(session, citizen_id) or Profile(citizen_id)
    return {
        "email": found.private_email,
        "language": found.language,
        "space": found.space().value,
    }


def confirmation(
    session: Session, confirmation_id: UUID, now: datetime, *, key: str, public_url: str
) -> dict[str, Any] | None:
    """What the message with the link needs; the link only while it is worth something."""
    found = store.confirmation(session, confirmation_id)
    if found is None:
        return None
    citizen_id, asked = found
    owner = store.find(session, citizen_id)
    state = asked.state(now)
    link = f"{public_url}/confirmation/{links.token(key, asked.id, asked.expires_at)}"
    return {
        "email": asked.email,
        "language": owner.language if owner else "fr",
        "link": link if state is LinkState.OPEN else None,
        "expires_at": asked.expires_at,
        "state": state.value,
    }
