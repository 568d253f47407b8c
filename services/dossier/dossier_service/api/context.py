"""What every route works with: the desk, the clock, the other services, the language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import Flask, current_app, request
from sqlalchemy.orm import Session

from dossier_service.claims.practice import Desk
from dossier_service.localized import LANGUAGES
from dossier_service.statements import StatementKeys
from espace.clock import LegalClock
from espace.http import ServiceClient, principal
from espace.i18n import preferred_language

EXTENSION = "dossier.counter"


@dataclass(frozen=True)
class Counter:
    """What the composition root puts together."""

    desk: Desk
    clock: LegalClock
    identity: ServiceClient
    keys: StatementKeys
    event_keys: Mapping[str, Any]

    def open_in(self, app: Flask) -> None:
        """Make it known to the routes of an app."""
        app.extensions[EXTENSION] = self

    def now(self, session: Session) -> datetime:
        """Legal time."""
        return self.clock.now(session)


def counter() -> Counter:
    """The counter of the app in hand."""
    return cast(Counter, current_app.extensions[EXTENSION])


def language() -> str:
    """The language of texts: the query's ``language``, else the best accepted one, else French."""
    asked = request.args.get("language")
    if asked in LANGUAGES:
        return asked
    return preferred_language(request.headers.get("Accept-Language")) or _preferred() or "fr"


def _preferred() -> str | None:
    try:
        preferred = principal().language
    except LookupError:
        return None
    return preferred if preferred in LANGUAGES else None
