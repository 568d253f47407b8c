"""A request as pages show it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from dossier_service.information_requests.model import InformationRequest, RequestState
from dossier_service.pieces import Piece
from dossier_service.procedures.model import InformationRequestPolicy
from dossier_service.procedures.pages import slot_view
from dossier_service.texts import texts
from espace.i18n import format_date, format_instant

PENDING = "pending"


def request_view(
    request: InformationRequest,
    policy: InformationRequestPolicy,
    scans: Mapping[UUID, str],
    now: datetime,
    language: str,
) -> dict[str, Any]:
    """One request with its pieces, its reasons and what may be done."""
    answerable = request.answered_at is None and request.state != RequestState.WITHDRAWN
    room = len(request.pieces) < policy.slot.max_count
    return {
        "id": request.id,
        "element": request.element,
        "origin": request.origin,
        "state": str(request.state),
        "late": request.late,
        "late_reason": late_reason(request, language),
        "due_date": request.due_date,
        "due_at": request.due_at,
        "reasons": request.reasons[language],
        "past_due": now >= request.due_at,
        "opened_at": request.opened_at,
        "answered_at": request.answered_at,
        "lapsed_at": request.lapsed_at,
        "content_sha256": request.content_sha256,
        "slot": {**slot_view(policy.slot, language), "can_add": answerable and room},
        "attachments": [
            {**piece_view(piece, scans), "sent": piece.sent_at is not None} for piece in request.pieces
        ],
        "actions": [
            name
            for name, allowed in (
                ("attach", answerable and room),
                ("answer", answerable and bool(request.pieces)),
            )
            if allowed
        ],
    }


def answer_view(request: InformationRequest, number: str | None, language: str) -> dict[str, Any]:
    """What became of an answer."""
    return {
        "request_id": request.id,
        "dossier_id": request.dossier_id,
        "number": number,
        "received_at": request.answered_at,
        "late": request.late,
        "late_reason": late_reason(request, language),
        "documents": [document_view(piece) for piece in request.pieces],
    }


def late_reason(request: InformationRequest, language: str) -> str | None:
    """Why an answer is marked late, in words."""
    if not request.late or request.answered_at is None:
        return None
    return texts().gettext(
        language,
        "late",
        received=format_instant(request.answered_at, language, seconds=True),
        date=format_date(request.due_date, language),
    )


def piece_view(piece: Piece, scans: Mapping[UUID, str]) -> dict[str, Any]:
    """A file with the state of its scan."""
    return {
        **document_view(piece),
        "content_type": piece.content_type,
        "scan": scans.get(piece.document_id, PENDING),
        "added_at": piece.added_at,
    }


def document_view(piece: Piece) -> dict[str, Any]:
    """A file as receipts list it."""
    return {
        "document_id": piece.document_id,
        "slot": piece.slot,
        "filename": piece.filename,
        "size": piece.size,
        "sha256": piece.sha256,
    }
