"""What can be done with a profile: each is one transaction's work."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.dialects.postgresql import insert

from espace.db import UnitOfWork
from espace.telemetry import get_logger
from profile_service import events, links, store
from profile_service.model import Confirmation, LinkRefused, NothingToConfirm, Notice, Profile
from profile_service.tables import notices

log = get_logger()


class UnknownLink(Exception):
    """We never made this link."""


def give_email(unit: UnitOfWork, citizen_id: UUID, email: str, now: datetime, *, language: str) -> None:
    """Start or change the private address; it counts once its link was used.

    Raises:
        TooManyMessages: more were asked for in this hour than we send.
    """
    profile = store.load(unit.session, citizen_id, language)
    if profile.asks_again(email, now):
        return
    if email == profile.private_email:
        waiting = profile.pending
        profile.keep_confirmed(now)
        if waiting:
            store.save_confirmation(unit.session, waiting)
        return
    _ask(unit, profile, email, now)


def resend(unit: UnitOfWork, citizen_id: UUID, now: datetime) -> None:
    """Send a new link to the address that waits; the link before is worth nothing from now on.

    Raises:
        NothingToConfirm: no address waits.
        TooManyMessages: more were asked for in this hour than we send.
    """
    profile = store.load(unit.session, citizen_id)
    if profile.pending is None:
        raise NothingToConfirm
    _ask(unit, profile, profile.pending.email, now)


def confirm_email(unit: UnitOfWork, token: str, key: str, now: datetime) -> bool:
    """Use a link: the address is the citizen's, and the space exists.

    Returns:
        False when the link was used before, which is harmless.

    Raises:
        UnknownLink: we never made it.
        LinkRefused: it is expired or replaced.
    """
    confirmation_id = links.confirmation_id(token)
    found = store.confirmation(unit.session, confirmation_id) if confirmation_id else None
    if found is None or not links.is_genuine(token, key, found[1].id, found[1].expires_at):
        raise UnknownLink
    profile = store.load(unit.session, found[0])
    current = store.confirmation(unit.session, found[1].id)  # as it is now that the profile is ours
    assert current is not None
    try:
        first = profile.confirm(current[1], now)
    except LinkRefused as refusal:
        log.info("email.confirmation_refused", reason=refusal.state.value)
        raise
    if first:
        store.save_confirmation(unit.session, current[1])
        if profile.open_space(now):
            unit.record(events.space_confirmed(profile))
        store.save(unit.session, profile)
        log.info("email.confirmed", citizen_id=profile.citizen_id)
    return first


def set_language(unit: UnitOfWork, citizen_id: UUID, language: str) -> None:
    """The language to write to the citizen in."""
    profile = store.load(unit.session, citizen_id, language)
    profile.language = language
    store.save(unit.session, profile)


def see_notice(unit: UnitOfWork, citizen_id: UUID, notice: Notice, version: str, *, hidden: bool) -> None:
    """Remember which version of a notice was seen; versions are names, the last one seen counts."""
    row = insert(notices).values(citizen_id=citizen_id, notice=notice.value, version=version, hidden=hidden)
    unit.session.execute(
        row.on_conflict_do_update(
            index_elements=["citizen_id", "notice"],
            set_={"version": row.excluded.version, "hidden": row.excluded.hidden},
        )
    )


def _ask(unit: UnitOfWork, profile: Profile, email: str, now: datetime) -> None:
    before: Confirmation | None = profile.pending
    recent = store.asked_since(unit.session, profile.citizen_id, now - timedelta(hours=1))
    asked = profile.ask(uuid4(), email, now, recent)
    if before:
        store.save_confirmation(unit.session, before)
    store.add_confirmation(unit.session, profile.citizen_id, asked)
    store.save(unit.session, profile)
    unit.record(events.email_confirmation_requested(profile, asked))
    log.info("email.confirmation_requested", confirmation_id=asked.id)
