"""The profile service's routes."""

import math
from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import current_app

from espace.clock import utcnow
from espace.http import Blueprint, Problem, database, idempotent, principal, transaction
from espace.i18n import best_language
from profile_service import commands, queries, schemas
from profile_service.model import LinkRefused, LinkState, NothingToConfirm, Notice, TooManyMessages
from profile_service.settings import Settings

EXTENSION = "profile.settings"
NOTIFIER = "notifier"

citizens = Blueprint("profile", __name__, service="profile", auth="citizen", url_prefix="/api/profile/v1")
links = Blueprint("links", __name__, service="profile", auth="public", url_prefix="/api/profile/v1")
services = Blueprint("services", __name__, service="profile", auth="service", url_prefix="/internal/v1")

blueprints = (citizens, links, services)


@citizens.get("/profile")
@citizens.response(200, schemas.ProfileSchema)
def get_profile() -> dict[str, Any]:
    """Your profile."""
    with database().session() as session:
        return queries.profile(session, principal().citizen, language=_language())


@citizens.put("/profile/email")
@citizens.arguments(schemas.EmailSchema)
@citizens.response(200, schemas.ProfileSchema)
def put_email(body: dict[str, str]) -> dict[str, Any]:
    """Give or change your private address. A message with a link goes there; the link lasts 24 hours."""
    citizen_id = principal().citizen
    with transaction() as unit:
        commands.give_email(unit, citizen_id, body["email"], utcnow(), language=_language())
        return queries.profile(unit.session, citizen_id, language=_language())


@citizens.post("/profile/email/resend")
@idempotent
@citizens.response(200, schemas.ProfileSchema)
def post_resend() -> dict[str, Any]:
    """Get another message; the link before is worth nothing from then on."""
    citizen_id = principal().citizen
    with transaction() as unit:
        commands.resend(unit, citizen_id, utcnow())
        return queries.profile(unit.session, citizen_id, language=_language())


@citizens.put("/profile/language")
@citizens.arguments(schemas.LanguageSchema)
@citizens.response(200, schemas.ProfileSchema)
def put_language(body: dict[str, str]) -> dict[str, Any]:
    """Choose the language of messages."""
    citizen_id = principal().citizen
    with transaction() as unit:
        commands.set_language(unit, citizen_id, body["language"])
        return queries.profile(unit.session, citizen_id, language=_language())


@citizens.put(f"/profile/notices/<any({', '.join(schemas.NOTICES)}):notice>")
@citizens.arguments(schemas.NoticeSchema)
@citizens.response(200, schemas.ProfileSchema)
def put_notice(body: dict[str, Any], notice: str) -> dict[str, Any]:
    """Remember which version of a notice you have seen."""
    citizen_id = principal().citizen
    with transaction() as unit:
        commands.see_notice(unit, citizen_id, Notice(notice), body["version"], hidden=body["hidden"])
        return queries.profile(unit.session, citizen_id, language=_language())


@links.post("/email-confirmations")
@links.arguments(schemas.LinkSchema)
@links.response(200, schemas.ConfirmedSchema)
def post_email_confirmation(body: dict[str, str]) -> dict[str, str]:
    """Use the link of a message. Its possession is the proof, so no login; twice is harmless, so no key."""
    with transaction() as unit:
        first = commands.confirm_email(unit, body["token"], _settings().confirmation_key, utcnow())
    return {"status": "confirmed" if first else "already"}


@services.get("/citizens/<uuid:citizen_id>/contact")
@services.response(200, schemas.ContactSchema)
def get_contact(citizen_id: UUID) -> dict[str, Any]:
    """Where to write to a citizen."""
    with database().session() as session:
        return queries.contact(session, citizen_id)


@services.get("/confirmations/<uuid:confirmation_id>")
@services.response(200, schemas.ConfirmationSchema)
def get_confirmation(confirmation_id: UUID) -> dict[str, Any]:
    """The address and the link of a confirmation, for the message alone."""
    if principal().client_id != NOTIFIER:
        raise Problem(403, "not_for_you", "Only the service that sends messages gets links.")
    settings = _settings()
    with database().session() as session:
        found = queries.confirmation(
            session,
            confirmation_id,
            utcnow(),
            key=settings.confirmation_key,
            public_url=settings.public_url,
        )
    if found is None:
        raise Problem(404, "not_found", "There is no such confirmation.")
    return found


def _too_many_messages(refusal: TooManyMessages) -> Problem:
    seconds = max(1, math.ceil(refusal.retry_after.total_seconds()))
    return Problem(
        429,
        "too_many_messages",
        "We sent several messages within the hour: look for them, also among unwanted mail, or wait.",
        headers={"Retry-After": str(seconds)},
        retry_after=seconds,
    )


def _link_refused(refusal: LinkRefused) -> Problem:
    if refusal.state is LinkState.EXPIRED:
        return Problem(410, "link_expired", "The link lasted 24 hours: ask for another message.")
    return Problem(410, "link_replaced", "A newer message was sent: use its link.")


problems: dict[type[Exception], Callable[[Any], Problem]] = {
    TooManyMessages: _too_many_messages,
    LinkRefused: _link_refused,
    NothingToConfirm: lambda _: Problem(409, "nothing_to_confirm", "Give a private address first."),
    commands.UnknownLink: lambda _: Problem(404, "link_unknown", "Copy the whole link from the message."),
}


def _settings() -> Settings:
    settings: Settings = current_app.extensions[EXTENSION]
    return settings


def _language() -> str:
    """What the citizen's login source says she prefers; it counts as long as there is no profile."""
    return best_language(principal().language)
