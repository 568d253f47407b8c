"""The deposit and its withdrawal."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from dossier_service.claims import facts
from dossier_service.claims.model import Dossier, DossierRefused
from dossier_service.claims.number import number
from dossier_service.claims.practice import Practice
from dossier_service.information_requests.commands import open_request, withdraw_requests
from dossier_service.information_requests.model import InformationRequest
from dossier_service.information_requests.store import requests_of
from dossier_service.tables import dossier_numbers, dossiers
from espace.calendar import local_date
from espace.db import UnitOfWork
from espace.telemetry import get_logger

log = get_logger()


def submit_dossier(
    unit: UnitOfWork, practice: Practice, dossier: Dossier, received_at: datetime, seen: str
) -> InformationRequest | None:
    """Deposit a locked dossier as it was when it arrived; needs this database and nothing else.

    Returns:
        the request for information that the citizen asked for with it, if any.

    Raises:
        OutsideWindow, DossierRefused, SlotsEmpty: why it is not deposited.
    """
    dossier.check_depositable(practice, received_at, seen)
    _check_first(unit, practice, dossier)
    sequence = unit.session.execute(dossier_numbers.next_value().select()).scalar_one()
    dossier.deposit(practice, received_at, number(local_date(received_at).year, sequence))
    _store(unit)
    policy = practice.procedure.information_request
    request = None
    if policy and practice.procedure.asks_more_time(dossier.values):
        element = str(practice.declared(dossier.values)[policy.element_field])
        request = InformationRequest.opened_by_citizen(dossier.id, element, policy, received_at)
    unit.record(facts.submitted(dossier, request.id if request else None))
    if policy and request:
        open_request(unit, dossier, policy, request)
    log.info("dossier.submitted", dossier_id=str(dossier.id), number=dossier.number)
    return request


def withdraw_dossier(unit: UnitOfWork, practice: Practice, dossier: Dossier, arrived_at: datetime) -> None:
    """Take a locked dossier's deposit back if that arrived while its window was open.

    Raises:
        OutsideWindow, DossierRefused: why not.
    """
    dossier.withdraw(practice, arrived_at)
    withdraw_requests(unit, requests_of(unit.session, [dossier.id]))
    unit.record(facts.withdrawn(dossier))
    log.info("dossier.withdrawn", dossier_id=str(dossier.id))


def _check_first(unit: UnitOfWork, practice: Practice, dossier: Dossier) -> None:
    key = practice.unique_key(dossier.values)
    if key is None:
        return
    earlier = select(dossiers.c.id).where(
        dossiers.c.citizen_id == dossier.citizen_id, dossiers.c.unique_key == key
    )
    if unit.session.execute(earlier).first():
        raise DossierRefused("claim_exists")


def _store(unit: UnitOfWork) -> None:
    """Write now: of two deposits at one instant the database lets one through."""
    try:
        unit.session.flush()
    except IntegrityError as error:
        if "uq_dossiers_one_deposit" in str(error.orig):
            raise DossierRefused("claim_exists") from error
        raise
