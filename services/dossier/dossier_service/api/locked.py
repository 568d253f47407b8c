"""A citizen's dossier in hand: loaded, its row locked, refusals put in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from dossier_service.api.context import counter, language
from dossier_service.api.refusals import refusals
from dossier_service.claims import queries, store
from dossier_service.claims.model import Dossier
from dossier_service.claims.practice import Practice
from dossier_service.procedures.model import Procedure
from dossier_service.texts import texts
from espace.db import UnitOfWork
from espace.http import Problem, etag, principal, transaction


@dataclass(frozen=True)
class Locked:
    """The dossier, its procedure and the transaction that holds its row."""

    unit: UnitOfWork
    dossier: Dossier
    practice: Practice
    now: datetime

    def page(self) -> dict[str, Any]:
        """The dossier's page after the change."""
        self.unit.session.flush()
        return page_of(self.unit.session, self.dossier, self.now)


@contextmanager
def locked(dossier_id: UUID) -> Iterator[Locked]:
    """Load the caller's dossier and hold its row until the transaction ends.

    Raises:
        Problem: 404 when it is unknown or another's; whatever the block's commands refuse.
    """
    with refusals(), transaction() as unit:
        dossier = store.own(unit.session, principal().citizen, dossier_id, lock=True)
        practice = counter().desk.version(dossier.procedure, dossier.procedure_version)
        with refusals(practice.procedure):
            yield Locked(unit, dossier, practice, counter().now(unit.session))


def page_of(session: Session, dossier: Dossier, now: datetime) -> dict[str, Any]:
    """The page of a dossier at an instant, with its version as ETag."""
    etag(dossier.version)
    return queries.dossier_page(session, counter().desk, dossier, now, language())


def require_level(procedure: Procedure) -> None:
    """Go on only when the login was strong enough.

    Raises:
        Problem: 403 ``level_too_low`` with the ``min_level`` that is wanted.
    """
    wanted = procedure.min_level
    if principal().level < wanted:
        text = texts().gettext(language(), "problem.level_too_low", wanted=wanted)
        raise Problem(403, "level_too_low", text, min_level=wanted)
