"""More time for what was due while citizens could not reach the platform."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from dossier_service.claims import store
from dossier_service.claims.model import Dossier
from dossier_service.claims.practice import Desk
from dossier_service.information_requests import store as request_store
from dossier_service.information_requests.commands import extend_request
from dossier_service.information_requests.model import InformationRequest
from dossier_service.localized import LANGUAGES
from dossier_service.texts import texts
from espace.db import Database, UnitOfWork
from espace.i18n import format_date


@dataclass(frozen=True)
class Extended:
    """A request whose last day has moved."""

    request_id: UUID
    dossier_id: UUID
    number: str
    was_due: date
    due: date


def extend_requests(
    database: Database, desk: Desk, first: date, last: date, days: int, *, dry_run: bool = False
) -> list[Extended]:
    """Give every unanswered request whose last day lies within more calendar days.

    One transaction each: killed in between, what is left can be found by its old date. A second run finds
    again what moved to a day that lies within too.

    Args:
        first, last: both days included.
        dry_run: say what would be done.
    """
    with database.session() as session:
        due = [(found.id, found.dossier_id) for found in request_store.due_between(session, first, last)]
    moved = []
    for request_id, dossier_id in due:
        with database.transaction() as unit:
            found = _unanswered(unit, request_id, dossier_id, (first, last))
            if found is not None:
                moved.append(_foreseen(*found, days) if dry_run else _extend(unit, desk, *found, days))
    return moved


def _unanswered(
    unit: UnitOfWork, request_id: UUID, dossier_id: UUID, within: tuple[date, date]
) -> tuple[Dossier, InformationRequest] | None:
    """The request as it is now, with its dossier locked; None when it is answered or due on another day."""
    dossier = store.find(unit.session, dossier_id, lock=True)
    request = request_store.find(unit.session, request_id)
    if dossier is None or request is None or not request.extendable:
        return None
    return (dossier, request) if within[0] <= request.due_date <= within[1] else None


def _foreseen(dossier: Dossier, request: InformationRequest, days: int) -> Extended:
    due = request.due_date + timedelta(days=days)
    return Extended(request.id, dossier.id, dossier.number or "", request.due_date, due)


def _extend(
    unit: UnitOfWork, desk: Desk, dossier: Dossier, request: InformationRequest, days: int
) -> Extended:
    moved = _foreseen(dossier, request, days)
    words = {
        language: texts().gettext(language, "extended", date=format_date(moved.due, language))
        for language in LANGUAGES
    }
    policy = desk.version(dossier.procedure, dossier.procedure_version).procedure.information_request
    assert policy is not None, "a procedure with a request has a policy for it"
    extend_request(unit, dossier, policy, request, days, words)
    return moved
