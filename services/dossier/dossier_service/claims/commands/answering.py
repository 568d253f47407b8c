"""What reaches a request from outside: the scheduler's messages, judged again by our own row and clock."""

from uuid import UUID

from dossier_service.claims import attempts, store
from dossier_service.claims.model import Dossier
from dossier_service.information_requests import facts
from dossier_service.information_requests import store as request_store
from dossier_service.information_requests.commands import lapse_request
from dossier_service.information_requests.model import InformationRequest
from espace.clock import LegalClock
from espace.db import UnitOfWork
from espace.errors import TransientError


def expire_request(unit: UnitOfWork, clock: LegalClock, request_id: UUID, version: int) -> None:
    """The scheduler says that the time is over. Unknown, stale or ended meanwhile: nothing happens.

    Raises:
        TransientError: by our clock it is not over yet, or an answer that arrived in time is being worked on.
    """
    found = _open(unit, request_id, version)
    if found is None:
        return
    dossier, request = found
    now = clock.now(unit.session)
    if now < request.due_at:
        raise TransientError("the request's time is not over by our clock")
    if attempts.in_flight(unit.session, request.id, request.due_at):
        raise TransientError("an answer that arrived in time is being worked on")
    lapse_request(unit, dossier, request, now)


def remind_of_request(
    unit: UnitOfWork, clock: LegalClock, request_id: UUID, version: int, days_before: int
) -> None:
    """The scheduler says that a reminder is due: pass it on if the request is still open."""
    found = _open(unit, request_id, version)
    if found is None:
        return
    dossier, request = found
    if clock.now(unit.session) < request.due_at:
        unit.record(facts.reminder_due(dossier, request, days_before))


def _open(unit: UnitOfWork, request_id: UUID, version: int) -> tuple[Dossier, InformationRequest] | None:
    """The open request of that deadline with its dossier, locked; None when the message has no object."""
    request = request_store.find(unit.session, request_id)
    if request is None:
        return None
    dossier = store.find(unit.session, request.dossier_id, lock=True)
    request = request_store.find(unit.session, request_id)
    if dossier is None or request is None or not request.open or version < request.deadline_version:
        return None
    return dossier, request
