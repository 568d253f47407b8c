"""What the owners of the facts say at sending time: profile about people, dossier about dossiers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from espace.http.client import ServiceClient
from espace.http.problems import Problem
from espace.i18n import best_language
from notifier_service.model import Undeliverable
from notifier_service.settings import Settings
from notifier_service.smtp import Postponed


@dataclass(frozen=True)
class Contact:
    """Where and in which language to write to a citizen; no address until one is confirmed."""

    email: str | None
    language: str


@dataclass(frozen=True)
class Confirmation:
    """A confirmation of an address: the link that profile alone can make, there while it can be used."""

    email: str
    language: str
    link: str | None
    expires_at: datetime
    state: str


class Owners:
    """The other services, asked with our own token.

    All methods raise:
        TransientError, Postponed: no usable answer now.
        Undeliverable: the owner does not know what we ask about.
    """

    def __init__(self, profile: ServiceClient, dossier: ServiceClient) -> None:
        self._profile, self._dossier = profile, dossier

    @classmethod
    def of(cls, settings: Settings) -> "Owners":
        """The owners that the settings name."""
        return cls(
            ServiceClient(audience="profile", base_url=settings.profile_url, settings=settings),
            ServiceClient(audience="dossier", base_url=settings.dossier_url, settings=settings),
        )

    def contact(self, citizen_id: UUID) -> Contact:
        """The citizen's confirmed private address and language."""
        found = _ask(self._profile, f"/internal/v1/citizens/{citizen_id}/contact", "recipient_unknown")
        return Contact(found["email"], best_language(found["language"]))

    def confirmation(self, confirmation_id: UUID) -> Confirmation:
        """A confirmation that was asked for."""
        found = _ask(self._profile, f"/internal/v1/confirmations/{confirmation_id}", "confirmation_unknown")
        return Confirmation(
            found["email"],
            best_language(found["language"]),
            found["link"],
            datetime.fromisoformat(found["expires_at"]),
            found["state"],
        )

    def dossier(self, dossier_id: UUID) -> Mapping[str, Any]:
        """A dossier with its information requests."""
        return _ask(self._dossier, f"/internal/v1/dossiers/{dossier_id}", "dossier_unknown")


def _ask(owner: ServiceClient, path: str, when_unknown: str) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = owner.get(path)
    except Problem as problem:
        if problem.code == "not_found":  # the owner's own word: any other 404 is of something in between
            raise Undeliverable(when_unknown) from problem
        raise Postponed(f"{owner.audience}_answers_{problem.status}") from problem
    return found
