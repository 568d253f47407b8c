"""Loads requests. The dossier's row lock guards them: take it first."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from dossier_service.information_requests.model import InformationRequest, RequestState
from dossier_service.tables import information_requests

# Made once, as every page asks.
_OF_DOSSIERS = (
    select(InformationRequest)
    .where(information_requests.c.dossier_id.in_(bindparam("ids", expanding=True)))
    .order_by(information_requests.c.opened_at, information_requests.c.id)
)


def requests_of(session: Session, dossier_ids: Sequence[UUID]) -> list[InformationRequest]:
    """The requests of some dossiers, oldest first."""
    return list(session.scalars(_OF_DOSSIERS, {"ids": dossier_ids}))


def due_between(session: Session, first: date, last: date) -> list[InformationRequest]:
    """The unanswered requests, lapsed ones too, whose last day lies within (both days included)."""
    table = information_requests
    wanted = select(InformationRequest).where(
        table.c.due_date.between(first, last), table.c.state.in_([RequestState.OPEN, RequestState.LAPSED])
    )
    return list(session.scalars(wanted.order_by(table.c.due_date, table.c.id)))


def find(session: Session, request_id: UUID) -> InformationRequest | None:
    """The request of that id, as the database has it now."""
    wanted = select(InformationRequest).where(information_requests.c.id == request_id)
    return session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
