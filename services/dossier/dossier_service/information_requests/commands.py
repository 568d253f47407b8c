"""What happens to a request; each within the transaction that holds its dossier's row lock."""

from collections.abc import Iterable
from datetime import datetime

from dossier_service.information_requests import facts
from dossier_service.information_requests.facts import Case
from dossier_service.information_requests.model import InformationRequest
from dossier_service.procedures.model import InformationRequestPolicy
from espace.db import UnitOfWork
from espace.telemetry import get_logger

log = get_logger()


def open_request(
    unit: UnitOfWork, case: Case, policy: InformationRequestPolicy, request: InformationRequest
) -> None:
    """Store a new request and have its deadline kept."""
    unit.session.add(request)
    unit.record(facts.requested(case, request))
    unit.record(facts.deadline_set(request, policy))
    log.info("information_request.opened", information_request_id=str(request.id), dossier_id=str(case.id))


def answer_request(
    unit: UnitOfWork, case: Case, request: InformationRequest, received_at: datetime, seen: str
) -> None:
    """Answer with the pieces; a late answer ends what was open as lapsed and is kept."""
    was_open = request.open
    request.answer(received_at, seen)
    if was_open and request.late:
        unit.record(facts.lapsed(case, request))
    unit.record(facts.provided(case, request))
    if was_open:
        unit.record(facts.deadline_withdrawn(request, "answered"))
    log.info("information_request.answered", information_request_id=str(request.id), late=request.late)


def lapse_request(unit: UnitOfWork, case: Case, request: InformationRequest, now: datetime) -> None:
    """End a request whose time is over; the dossier goes on."""
    if request.lapse(now):
        unit.record(facts.lapsed(case, request))
        log.info("information_request.lapsed", information_request_id=str(request.id))


def extend_request(
    unit: UnitOfWork,
    case: Case,
    policy: InformationRequestPolicy,
    request: InformationRequest,
    days: int,
    words: dict[str, str],
) -> None:
    """Give a request more days; the citizen is told the new date as she was the first."""
    request.extend(days, policy, words)
    unit.record(facts.requested(case, request))
    unit.record(facts.deadline_set(request, policy))


def withdraw_requests(unit: UnitOfWork, requests: Iterable[InformationRequest]) -> None:
    """End what is not answered because the dossier is withdrawn."""
    for request in requests:
        if request.withdraw():
            unit.record(facts.deadline_withdrawn(request, "dossier_withdrawn"))
