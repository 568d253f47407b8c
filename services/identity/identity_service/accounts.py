"""Citizens: who arrives from which source, what is known of her, and the end of an account."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.orm import Session

from espace.clock import utcnow
from identity_service import logouts
from identity_service.clients import ClientRegistry
from identity_service.tables import CitizenRow, FamilyRow, SessionRow, SourceRow
from identity_service.vault import Vault


class AccountDisabled(Exception):
    """The account is closed to her."""


class NumberConflict(Exception):
    """A known subject came with another citizen's national number."""


class WrongMasterKey(Exception):
    """The citizens in the database were sealed with another key than ours: nobody would be found again."""


@dataclass(frozen=True)
class Arrival:
    """What a login source asserts; a language only if it is ours, a number only where it is trusted to."""

    issuer: str
    subject: str
    given_name: str
    family_name: str
    email: str | None
    language: str | None
    national_number: str | None = field(default=None, repr=False)


def arrive(session: Session, vault: Vault, arrival: Arrival, register: dict[str, Any] | None) -> CitizenRow:
    """The citizen behind a source's subject: known, joined by her national number, or new.

    ``register`` is the National Register's record, None when it did not answer: then what was known stays.

    Raises:
        AccountDisabled: her account is disabled.
        NumberConflict: the number belongs to someone else.
        WrongMasterKey: she would be new, and so would everybody.
    """
    number_hash = vault.hash(arrival.national_number) if arrival.national_number else None
    # Two first logins of one person at once must make one citizen.
    lock = number_hash or vault.hash(f"{arrival.issuer} {arrival.subject}")
    key = int.from_bytes(lock[:8], "big", signed=True)
    session.execute(select(func.pg_advisory_xact_lock(key)))
    citizen = _known(session, arrival, number_hash)
    if citizen is None:
        _ensure_master_key(session, vault)
        citizen = CitizenRow(created_at=utcnow(), number_hash=number_hash)
        session.add(citizen)
        session.flush()
    if citizen.disabled_at is not None:
        raise AccountDisabled
    if session.get(SourceRow, (arrival.issuer, arrival.subject)) is None:
        session.add(
            SourceRow(
                issuer=arrival.issuer,
                subject=arrival.subject,
                citizen_id=citizen.id,
                created_at=utcnow(),
            )
        )
    asserted = {
        "given_name": arrival.given_name,
        "family_name": arrival.family_name,
        "email": arrival.email,
        "language": arrival.language,
        "national_number": arrival.national_number,
    }
    _learn(vault, citizen, {**{k: v for k, v in asserted.items() if v}, **(register or {})})
    session.flush()
    return citizen


def _known(session: Session, arrival: Arrival, number_hash: bytes | None) -> CitizenRow | None:
    by_number = None
    if number_hash is not None:
        by_number = session.scalar(select(CitizenRow).where(CitizenRow.number_hash == number_hash))
    source = session.get(SourceRow, (arrival.issuer, arrival.subject))
    if source is None:
        return by_number
    citizen = session.get_one(CitizenRow, source.citizen_id)
    if number_hash is not None and citizen.number_hash != number_hash:
        if by_number is not None:
            raise NumberConflict
        citizen.number_hash = number_hash  # numbers change: a bis number becomes a national one
    return citizen


def _ensure_master_key(session: Session, vault: Vault) -> None:
    """A database restored without its key must not fill with second identities of its citizens."""
    sealed = select(CitizenRow.id, CitizenRow.wrapped_key).where(CitizenRow.wrapped_key.is_not(None)).limit(1)
    for citizen_id, wrapped_key in session.execute(sealed):
        if wrapped_key is not None and not vault.knows(citizen_id, wrapped_key):
            raise WrongMasterKey("ESPACE_NATIONAL_NUMBER_KEY is not this database's: restore the one that is")


def facts_of(vault: Vault, citizen: CitizenRow | Row[UUID, bytes | None, bytes | None]) -> dict[str, Any]:
    """What is known of her; empty when she is erased."""
    if citizen.wrapped_key is None or citizen.facts is None:
        return {}
    return vault.open(citizen.id, citizen.wrapped_key, citizen.facts)


def learn(session: Session, vault: Vault, citizen_id: UUID, facts: dict[str, Any]) -> None:
    """Add facts to her record."""
    citizen = session.get_one(CitizenRow, citizen_id, with_for_update=True)
    if citizen.erased_at is None:
        _learn(vault, citizen, facts)


def _learn(vault: Vault, citizen: CitizenRow, facts: dict[str, Any]) -> None:
    if citizen.wrapped_key is None:
        citizen.wrapped_key = vault.new_key(citizen.id)
    known = facts_of(vault, citizen)
    citizen.facts = vault.seal(citizen.id, citizen.wrapped_key, {**known, **facts})


def disable(session: Session, clients: ClientRegistry, citizen_id: UUID) -> bool:
    """Close her account: sessions end, refresh is refused, clients are told. False if unknown."""
    citizen = session.get(CitizenRow, citizen_id, with_for_update=True)
    if citizen is None:
        return False
    citizen.disabled_at = citizen.disabled_at or utcnow()
    _end_everything(session, clients, citizen_id, "disabled")
    return True


def enable(session: Session, _clients: ClientRegistry, citizen_id: UUID) -> bool:
    """Open her account again. False if unknown or erased."""
    citizen = session.get(CitizenRow, citizen_id, with_for_update=True)
    if citizen is None or citizen.erased_at is not None:
        return False
    citizen.disabled_at = None
    return True


def erase(session: Session, clients: ClientRegistry, citizen_id: UUID) -> bool:
    """Forget her for ever by destroying her key; her id stays, so that nobody else gets it."""
    citizen = session.get(CitizenRow, citizen_id, with_for_update=True)
    if citizen is None:
        return False
    _end_everything(session, clients, citizen_id, "erased")
    session.execute(delete(SourceRow).where(SourceRow.citizen_id == citizen_id))
    now = utcnow()
    citizen.wrapped_key = citizen.facts = citizen.number_hash = None
    citizen.erased_at = citizen.erased_at or now
    citizen.disabled_at = citizen.disabled_at or now
    return True


def _end_everything(session: Session, clients: ClientRegistry, citizen_id: UUID, reason: str) -> None:
    now = utcnow()
    open_sessions = session.scalars(
        select(SessionRow).where(SessionRow.citizen_id == citizen_id, SessionRow.ended_at.is_(None))
    ).all()
    for row in open_sessions:
        row.ended_at = now
        logouts.queue(session, clients, row)
    session.execute(
        update(FamilyRow)
        .where(FamilyRow.citizen_id == citizen_id, FamilyRow.revoked_at.is_(None))
        .values(revoked_at=now, revoked_because=reason)
    )
