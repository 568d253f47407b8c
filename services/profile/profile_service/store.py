"""Loading and saving profiles; whoever loads one to change it holds its row until the transaction ends."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from profile_service.model import Confirmation, Profile
from profile_service.tables import confirmations, profiles

_CONFIRMATION = [confirmations.c[name] for name in Confirmation.__dataclass_fields__]
_PROFILE = [profiles.c[name] for name in Profile.__dataclass_fields__ if name != "pending"]


def find(session: Session, citizen_id: UUID) -> Profile | None:
    """A profile, to look at."""
    row = session.execute(select(*_PROFILE).where(profiles.c.citizen_id == citizen_id)).one_or_none()
    return Profile(**row._mapping, pending=_waiting(session, citizen_id)) if row else None


def load(session: Session, citizen_id: UUID, language: str = "fr") -> Profile:
    """A profile, to change; a new one where there was none. Locks its row."""
    new = Profile(citizen_id, language)
    session.execute(
        insert(profiles)
        .values(citizen_id=citizen_id, language=new.language, version=new.version)
        .on_conflict_do_nothing()
    )
    row = session.execute(
        select(*_PROFILE).where(profiles.c.citizen_id == citizen_id).with_for_update()
    ).one()
    return Profile(**row._mapping, pending=_waiting(session, citizen_id))


def save(session: Session, profile: Profile) -> None:
    """Store the profile's own fields."""
    values = asdict(profile)
    del values["pending"]
    session.execute(update(profiles).where(profiles.c.citizen_id == values.pop("citizen_id")).values(values))


def confirmation(session: Session, confirmation_id: UUID) -> tuple[UUID, Confirmation] | None:
    """A confirmation and whose it is."""
    row = session.execute(
        select(confirmations.c.citizen_id, *_CONFIRMATION).where(confirmations.c.id == confirmation_id)
    ).one_or_none()
    return (row[0], Confirmation(*row[1:])) if row else None


def add_confirmation(session: Session, citizen_id: UUID, new: Confirmation) -> None:
    """Store a new confirmation."""
    session.execute(confirmations.insert().values(citizen_id=citizen_id, **asdict(new)))


def save_confirmation(session: Session, known: Confirmation) -> None:
    """Store what became of a confirmation."""
    session.execute(
        update(confirmations)
        .where(confirmations.c.id == known.id)
        .values(used_at=known.used_at, replaced_at=known.replaced_at)
    )


def asked_since(session: Session, citizen_id: UUID, since: datetime) -> list[datetime]:
    """When messages were asked for after ``since``, oldest first."""
    return list(
        session.execute(
            select(confirmations.c.created_at)
            .where(confirmations.c.citizen_id == citizen_id, confirmations.c.created_at > since)
            .order_by(confirmations.c.created_at)
        ).scalars()
    )


def _waiting(session: Session, citizen_id: UUID) -> Confirmation | None:
    row = session.execute(
        select(*_CONFIRMATION).where(
            confirmations.c.citizen_id == citizen_id,
            confirmations.c.used_at.is_(None),
            confirmations.c.replaced_at.is_(None),
        )
    ).one_or_none()
    return Confirmation(*row) if row else None
