"""The events about requests: facts and ids, no personal data."""

from typing import Protocol
from uuid import UUID

from dossier_service.information_requests.model import KIND, InformationRequest
from dossier_service.procedures.model import InformationRequestPolicy
from espace.bus import Event, rfc3339


class Case(Protocol):
    """What a request needs of its dossier, whose row is locked."""

    @property
    def id(self) -> UUID: ...
    @property
    def citizen_id(self) -> UUID: ...
    def touch(self) -> int: ...


def requested(case: Case, request: InformationRequest) -> Event:
    """Further information is awaited."""
    return _about(
        "information_requested",
        case,
        request,
        origin=request.origin,
        due_date=request.due_date.isoformat(),
        due_at=rfc3339(request.due_at),
    )


def provided(case: Case, request: InformationRequest) -> Event:
    """The citizen answered, in time or late."""
    assert request.answered_at is not None, "an answer has its instant"
    return _about(
        "information_provided",
        case,
        request,
        received_at=rfc3339(request.answered_at),
        late=request.late,
        documents=request.documents(),
    )


def lapsed(case: Case, request: InformationRequest) -> Event:
    """Nobody answered in time."""
    return _about(
        "information_request_lapsed",
        case,
        request,
        due_date=request.due_date.isoformat(),
        due_at=rfc3339(request.due_at),
    )


def reminder_due(case: Case, request: InformationRequest, days_before: int) -> Event:
    """A reminder of a request that is still open should be sent."""
    return _about(
        "reminder_due", case, request, due_date=request.due_date.isoformat(), days_before=days_before
    )


def deadline_set(request: InformationRequest, policy: InformationRequestPolicy) -> Event:
    """The scheduler shall keep the request's deadline."""
    return Event(
        type="be.espace.dossier.deadline_set.v1",
        subject=str(request.id),
        version=request.deadline_version,
        data={
            "deadline_id": str(request.id),
            "kind": KIND,
            "due_at": rfc3339(request.due_at),
            "reminders": [
                {"days_before": days, "remind_at": rfc3339(instant)}
                for days, instant in request.reminders(policy)
            ],
        },
    )


def deadline_withdrawn(request: InformationRequest, reason: str) -> Event:
    """The scheduler shall forget the request's deadline; a version of its own, above the one it ends."""
    request.deadline_version += 1
    return Event(
        type="be.espace.dossier.deadline_withdrawn.v1",
        subject=str(request.id),
        version=request.deadline_version,
        data={"deadline_id": str(request.id), "reason": reason},
    )


def _about(name: str, case: Case, request: InformationRequest, **data: object) -> Event:
    ids = {"dossier_id": str(case.id), "citizen_id": str(case.citizen_id), "request_id": str(request.id)}
    return Event(
        type=f"be.espace.dossier.{name}.v1",
        subject=str(case.id),
        version=case.touch(),
        data={**ids, **data},
    )
