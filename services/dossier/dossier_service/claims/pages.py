"""A dossier as pages show it: everything in one call."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from dossier_service.claims.form import form_view, procedure_name
from dossier_service.claims.model import Dossier, DossierState
from dossier_service.claims.practice import Practice
from dossier_service.claims.steps import current_step, open_substep, steps_view
from dossier_service.claims.windows import window_view
from dossier_service.information_requests.model import InformationRequest
from dossier_service.information_requests.pages import document_view, piece_view, request_view
from dossier_service.localized import LANGUAGES
from dossier_service.procedures.model import FieldType
from dossier_service.procedures.pages import slot_view
from dossier_service.texts import errors_in_words
from espace.calendar import local_date
from espace.i18n import format_instant


def dossier_view(
    practice: Practice,
    dossier: Dossier,
    requests: Sequence[InformationRequest],
    scans: Mapping[UUID, str],
    now: datetime,
    language: str,
) -> dict[str, Any]:
    """The page of one dossier."""
    procedure, values = practice.procedure, dossier.values
    errors = errors_in_words(procedure, practice.errors(values), language) if dossier.editable else {}
    window = practice.window(values)
    policy = procedure.information_request
    return {
        "id": dossier.id,
        "version": dossier.version,
        "number": dossier.number,
        "state": str(dossier.state),
        "procedure": procedure_name(practice, language),
        "title": procedure.title[language],
        "subtitle": practice.subtitle(dossier.values, language),
        "created_at": dossier.created_at,
        "saved_at": dossier.saved_at,
        "validated_at": dossier.validated_at,
        "received_at": dossier.received_at,
        "withdrawn_at": dossier.withdrawn_at,
        "steps": steps_view(procedure, dossier, requests, language),
        "values": dossier.typed,
        "prefilled": dossier.prefilled,
        "display": _display(practice, dossier, language),
        "errors": errors,
        "form": form_view(practice, dossier, errors, language),
        "values_sha256": dossier.values_sha256,
        "content_sha256": dossier.content_sha256(),
        "slots": [
            {
                **slot_view(slot, language),
                "can_add": dossier.editable and _room(dossier, slot.key, slot.max_count),
            }
            for slot in procedure.slots
        ],
        "attachments": [piece_view(piece, scans) for piece in dossier.attachments],
        "missing_slots": list(dossier.missing_slots(practice)) if dossier.editable else [],
        "window": window_view(window, now, language) if window else None,
        "information_requests": [
            request_view(request, policy, scans, now, language) for request in requests if policy
        ],
        "action_required": any(request.open for request in requests),
        "actions": _actions(practice, dossier, requests, now),
    }


def list_view(
    practice: Practice, dossier: Dossier, requests: Sequence[InformationRequest], language: str
) -> dict[str, Any]:
    """One row of the list of dossiers."""
    procedure = practice.procedure
    at = current_step(dossier, requests)
    waiting = next((request for request in requests if request.open), None)
    return {
        "id": dossier.id,
        "number": dossier.number,
        "procedure": procedure.key,
        "title": procedure.title[language],
        "subtitle": practice.subtitle(dossier.values, language),
        "state": str(dossier.state),
        "step": next({"key": s.key, "label": s.label[language]} for s in procedure.steps if s.key == at),
        "substep": open_substep(procedure, requests, language),
        "action_required": waiting is not None,
        "created_at": dossier.created_at,
        "saved_at": dossier.saved_at,
        "received_at": dossier.received_at,
        "due_date": waiting.due_date if waiting else None,
    }


def receipt_view(
    practice: Practice, dossier: Dossier, requests: Sequence[InformationRequest], language: str
) -> dict[str, Any]:
    """The proof of deposit."""
    assert dossier.received_at is not None, "a deposit has its instant"
    procedure = practice.procedure
    titles = {slot.key: slot.title[language] for slot in procedure.slots}
    window = practice.window(dossier.values)
    asked = next(iter(requests), None)
    return {
        "dossier_id": dossier.id,
        "number": dossier.number,
        "procedure": procedure_name(practice, language),
        "title": procedure.title[language],
        "subtitle": practice.subtitle(dossier.values, language),
        "language": language,
        "citizen": {
            name: _told_by_identity(practice, dossier, name) for name in ("given_name", "family_name")
        },
        "received_at": dossier.received_at,
        "received_local": format_instant(dossier.received_at, language, seconds=True),
        "received_date": local_date(dossier.received_at),
        "values_sha256": dossier.values_sha256,
        "content_sha256": dossier.deposited_sha256,
        "documents": [
            {**document_view(piece), "slot_title": titles.get(piece.slot, piece.slot)}
            for piece in dossier.attachments
        ],
        "window": window_view(window, dossier.received_at, language) if window else None,
        "information_request": {
            "id": asked.id,
            "element": asked.element,
            "due_date": asked.due_date,
            "due_at": asked.due_at,
            "reasons": asked.reasons[language],
        }
        if asked
        else None,
        "withdrawn_at": dossier.withdrawn_at,
    }


def internal_view(
    practice: Practice, dossier: Dossier, requests: Sequence[InformationRequest]
) -> dict[str, Any]:
    """What other services may know of a dossier."""
    return {
        "dossier_id": dossier.id,
        "citizen_id": dossier.citizen_id,
        "number": dossier.number,
        "procedure": dossier.procedure,
        "procedure_version": dossier.procedure_version,
        "titles": practice.procedure.title.all(),
        "state": str(dossier.state),
        "received_at": dossier.received_at,
        "withdrawn_at": dossier.withdrawn_at,
        "documents": [document_view(piece) for piece in dossier.attachments],
        "information_requests": [
            {
                "id": request.id,
                "state": str(request.state),
                "late": request.late,
                "origin": request.origin,
                "element": request.element,
                "due_date": request.due_date,
                "due_at": request.due_at,
                "answered_at": request.answered_at,
                "reasons": {language: request.reasons[language] for language in LANGUAGES},
                "documents": [document_view(piece) for piece in request.pieces if piece.sent_at is not None],
            }
            for request in requests
        ],
    }


def _display(practice: Practice, dossier: Dossier, language: str) -> dict[str, str]:
    values = dossier.values
    return {
        field.key: practice.shown(field, values[field.key], values)[language]
        for field in practice.procedure.fields()
        if values.get(field.key) not in (None, "") and field.type is not FieldType.CHECKBOX
    }


def _told_by_identity(practice: Practice, dossier: Dossier, name: str) -> str:
    key = practice.procedure.prefilled_by(f"identity.{name}")
    return dossier.prefilled.get(key or "", "")


def _room(dossier: Dossier, slot: str, max_count: int) -> bool:
    return sum(piece.slot == slot for piece in dossier.attachments) < max_count


def _actions(
    practice: Practice, dossier: Dossier, requests: Sequence[InformationRequest], now: datetime
) -> list[str]:
    """The buttons a page may show."""
    window = practice.window(dossier.values)
    within = window is None or window.state(now) == "open"
    ready = dossier.state == DossierState.VALIDATED and not dossier.missing_slots(practice)
    allowed = {
        "edit": dossier.editable,
        "validate": dossier.state == DossierState.DRAFT,
        "attach": dossier.editable,
        "submit": ready and within,
        "withdraw": dossier.state == DossierState.SUBMITTED and within,
        "answer": any(request.open for request in requests),
    }
    return [name for name, is_allowed in allowed.items() if is_allowed]
