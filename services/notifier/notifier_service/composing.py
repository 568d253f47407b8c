"""Deciding whether a message still has its reason, and gathering what it says."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from babel.numbers import format_decimal

from espace.clock import utcnow
from espace.i18n import format_date, format_instant
from notifier_service.model import Claimed, NotSent, Template, Undeliverable
from notifier_service.owners import Contact, Owners
from notifier_service.rendering import Rendered, Renderer

OPEN: Final = "open"
_ASKS_FOR_AN_ANSWER: Final = frozenset({Template.DRC_OPENED, Template.DRC_REMINDER})


@dataclass(frozen=True)
class Composed:
    """A message that is ready for its envelope."""

    email: str
    rendered: Rendered


class Composer:
    """Writes messages from what the owners say now.

    Args:
        legal_now: the legal instant; after the due instant nobody is asked for an answer.
        public_url: where every link leads.
    """

    def __init__(
        self, owners: Owners, renderer: Renderer, *, legal_now: Callable[[], datetime], public_url: str
    ) -> None:
        self._owners, self._renderer = owners, renderer
        self._legal_now, self._public_url = legal_now, public_url

    def compose(self, message: Claimed) -> Composed:
        """Write ``message``.

        Raises:
            NotSent: nobody should read it any more.
            Undeliverable: it can never be written.
            TransientError, Postponed: an owner does not answer.
        """
        if message.template is Template.SPACE_CONFIRMATION:
            return self._confirmation(message)
        return self._about_dossier(message)

    def _confirmation(self, message: Claimed) -> Composed:
        found = self._owners.confirmation(UUID(message.facts["confirmation_id"]))
        if found.state != OPEN:
            raise NotSent(found.state)
        if found.expires_at <= utcnow():
            raise NotSent("expired")
        if not found.link or not found.link.startswith(f"{self._public_url}/"):
            raise Undeliverable("foreign_link")
        values = {"link": found.link, "expires": format_instant(found.expires_at, found.language)}
        return self._written(message, Contact(found.email, found.language), values)

    def _about_dossier(self, message: Claimed) -> Composed:
        dossier = self._owners.dossier(UUID(message.facts["dossier_id"]))
        if UUID(dossier["citizen_id"]) != message.recipient_id:
            raise Undeliverable("recipient_mismatch")
        if message.template in _ASKS_FOR_AN_ANSWER:
            self._refuse_unanswerable(dossier, _request(dossier, message.facts))
        if message.template is Template.DRC_LAPSED:
            _refuse_undone(_request(dossier, message.facts))
        contact = self._owners.contact(message.recipient_id)
        if not contact.email:
            raise NotSent("no_confirmed_address")
        values = {
            "number": dossier["number"],
            "title": dossier["titles"][contact.language],
            "page": f"{self._public_url}/dossiers/{message.facts['dossier_id']}",
            **_VALUES[message.template](message.facts, dossier, contact.language),
        }
        return self._written(message, contact, values)

    def _refuse_unanswerable(self, dossier: Mapping[str, Any], request: Mapping[str, Any]) -> None:
        """Nobody is told until when to answer what can be answered no more, or has been."""
        if dossier["state"] == "withdrawn":
            raise NotSent("withdrawn")
        if request["state"] != OPEN:
            raise NotSent(request["state"])
        if datetime.fromisoformat(request["due_at"]) <= self._legal_now():
            raise NotSent("too_late")

    def _written(self, message: Claimed, contact: Contact, values: Mapping[str, Any]) -> Composed:
        rendered = self._renderer.render(message.template, message.template_version, contact.language, values)
        return Composed(contact.email or "", rendered)


def _refuse_undone(request: Mapping[str, Any]) -> None:
    """An answer that arrived in time, or a withdrawal, undoes a lapse."""
    if request["state"] in ("answered", "withdrawn"):
        raise NotSent(request["state"])


Facts = Mapping[str, Any]


def _receipt(facts: Facts, dossier: Facts, lang: str) -> dict[str, Any]:
    return {
        "received": _instant(facts["received_at"], lang),
        "files": _files(facts["documents"], dossier["documents"], lang),
    }


def _opened(facts: Facts, dossier: Facts, lang: str) -> dict[str, Any]:
    request = _request(dossier, facts)
    return {
        "element": request["element"],
        "origin": facts["origin"],
        "due": _day(request["due_date"], lang),
        "reasons": request["reasons"][lang],
    }


def _reminder(facts: Facts, dossier: Facts, lang: str) -> dict[str, Any]:
    request = _request(dossier, facts)
    return {"element": request["element"], "due": _day(request["due_date"], lang)}


def _answered(facts: Facts, dossier: Facts, lang: str) -> dict[str, Any]:
    request = _request(dossier, facts)
    return {
        "received": _instant(facts["received_at"], lang),
        "late": facts["late"],
        "due": _day(request["due_date"], lang),
        "files": _files(facts["documents"], request.get("documents", ()), lang),
    }


def _lapsed(facts: Facts, dossier: Facts, lang: str) -> dict[str, Any]:
    request = _request(dossier, facts)
    return {
        "element": request["element"],
        "due": _day(request["due_date"], lang),
        "reasons": request["reasons"][lang],
    }


_VALUES: Final[Mapping[Template, Callable[[Facts, Facts, str], dict[str, Any]]]] = {
    Template.RECEIPT: _receipt,
    Template.DRC_OPENED: _opened,
    Template.DRC_REMINDER: _reminder,
    Template.DRC_ANSWERED: _answered,
    Template.DRC_LAPSED: _lapsed,
}


def _request(dossier: Facts, facts: Facts) -> Facts:
    for request in dossier["information_requests"]:
        if request["id"] == facts["request_id"]:
            found: Facts = request
            return found
    raise Undeliverable("request_unknown")


def _files(deposited: Iterable[Facts], known: Iterable[Facts], lang: str) -> list[dict[str, str]]:
    """What was deposited, by the event; its names, by the dossier."""
    names = {entry["document_id"]: entry.get("filename") for entry in known}
    return [
        {
            "name": names.get(entry["document_id"]) or entry["slot"],
            "size": format_decimal(entry["size"], locale=lang),
            "sha256": entry["sha256"],
        }
        for entry in deposited
    ]


def _instant(text: str, lang: str) -> str:
    return format_instant(datetime.fromisoformat(text), lang, seconds=True)


def _day(text: str, lang: str) -> str:
    return format_date(date.fromisoformat(text), lang)
