"""Where a dossier stands: the steps of its procedure, as the guide shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dossier_service.claims.model import Dossier, DossierState
from dossier_service.information_requests.model import InformationRequest, RequestState
from dossier_service.procedures.model import Procedure, Step

DRC_STEP = "information_request"
_REQUEST_STATES: dict[str, str] = {
    RequestState.OPEN: "current",
    RequestState.ANSWERED: "done",
    RequestState.LAPSED: "lapsed",
    RequestState.WITHDRAWN: "done",
}


def current_step(dossier: Dossier, requests: Sequence[InformationRequest]) -> str:
    """The key of the step a dossier is at; « En Traitement » begins with a request for information."""
    if dossier.editable:
        return "draft"
    return "processing" if requests else "submitted"


def steps_view(
    procedure: Procedure, dossier: Dossier, requests: Sequence[InformationRequest], language: str
) -> list[dict[str, Any]]:
    """Every step: ``done``, ``current`` or ``todo``, with its instant and the requests below it."""
    keys = [step.key for step in procedure.steps]
    current = keys.index(current_step(dossier, requests))
    reached: dict[str, datetime | None] = {
        "draft": dossier.created_at,
        "submitted": dossier.received_at,
        "processing": requests[0].opened_at if requests else None,
    }
    return [
        {
            "key": step.key,
            "label": step.label[language],
            "state": _state(index, current, over=dossier.state == DossierState.WITHDRAWN),
            "at": reached.get(step.key),
            "substeps": _substeps(step, requests, language),
        }
        for index, step in enumerate(procedure.steps)
    ]


def open_substep(
    procedure: Procedure, requests: Sequence[InformationRequest], language: str
) -> dict[str, Any] | None:
    """The sub-step a dossier waits at, if it waits for its citizen."""
    if not any(request.open for request in requests):
        return None
    substeps = [substep for step in procedure.steps for substep in step.substeps]
    return next(
        ({"key": item.key, "label": item.label[language]} for item in substeps if item.key == DRC_STEP), None
    )


def _state(index: int, current: int, *, over: bool) -> str:
    if index == current and not over:
        return "current"
    return "done" if index <= current else "todo"


def _substeps(step: Step, requests: Sequence[InformationRequest], language: str) -> list[dict[str, Any]]:
    return [
        {
            "key": substep.key,
            "label": substep.label[language],
            "state": _REQUEST_STATES[request.state],
            "request_id": request.id,
        }
        for substep in step.substeps
        if substep.key == DRC_STEP
        for request in requests
    ]
