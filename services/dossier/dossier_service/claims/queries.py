"""Reads for pages."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from dossier_service.claims.model import Dossier
from dossier_service.claims.pages import dossier_view, internal_view, list_view, receipt_view
from dossier_service.claims.practice import Desk
from dossier_service.information_requests.model import InformationRequest
from dossier_service.information_requests.store import requests_of
from dossier_service.scans import outcomes
from dossier_service.tables import dossiers

SORTS = {
    "-saved_at": dossiers.c.saved_at.desc(),
    "saved_at": dossiers.c.saved_at.asc(),
    "number": dossiers.c.number.asc().nulls_last(),
}


def dossier_page(
    session: Session, desk: Desk, dossier: Dossier, now: datetime, language: str
) -> dict[str, Any]:
    """The page of a dossier that is loaded."""
    requests = _requests(session, dossier)
    ids = [piece.document_id for piece in _pieces(dossier, requests)]
    practice = desk.version(dossier.procedure, dossier.procedure_version)
    return dossier_view(practice, dossier, requests, outcomes(session, ids), now, language)


def receipt_page(session: Session, desk: Desk, dossier: Dossier, language: str) -> dict[str, Any]:
    """The receipt of a deposited dossier."""
    practice = desk.version(dossier.procedure, dossier.procedure_version)
    return receipt_view(practice, dossier, requests_of(session, [dossier.id]), language)


def internal_page(session: Session, desk: Desk, dossier: Dossier) -> dict[str, Any]:
    """A dossier for other services."""
    practice = desk.version(dossier.procedure, dossier.procedure_version)
    return internal_view(practice, dossier, _requests(session, dossier))


def list_page(
    session: Session,
    desk: Desk,
    citizen_id: UUID,
    *,
    state: str | None,
    sort: str,
    page: int,
    page_size: int,
    language: str,
) -> dict[str, Any]:
    """One page of a citizen's dossiers."""
    mine: Select[Any] = select(Dossier).where(dossiers.c.citizen_id == citizen_id)
    if state:
        mine = mine.where(dossiers.c.state == state)
    total = session.execute(select(func.count()).select_from(mine.subquery())).scalar_one()
    rows = mine.order_by(SORTS[sort], dossiers.c.id).limit(page_size).offset((page - 1) * page_size)
    found: list[Dossier] = list(session.scalars(rows))
    requests: dict[UUID, list[InformationRequest]] = {}
    for request in requests_of(session, [dossier.id for dossier in found]):
        requests.setdefault(request.dossier_id, []).append(request)
    items = [
        list_view(
            desk.version(dossier.procedure, dossier.procedure_version),
            dossier,
            requests.get(dossier.id, []),
            language,
        )
        for dossier in found
    ]
    return {"items": items, "total": total, "page": page, "page_size": page_size}


def _requests(session: Session, dossier: Dossier) -> list[InformationRequest]:
    """Of what is not deposited yet, nothing was asked."""
    return [] if dossier.editable else requests_of(session, [dossier.id])


def _pieces(dossier: Dossier, requests: Sequence[InformationRequest]) -> list[Any]:
    return [*dossier.attachments, *(piece for request in requests for piece in request.pieces)]
