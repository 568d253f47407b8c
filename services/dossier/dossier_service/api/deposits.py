"""Routes: the deposit, its proofs, its withdrawal."""

from typing import Any
from uuid import UUID

from dossier_service.api.arrival import arrived_at, settle, stamp_dossier
from dossier_service.api.bodies import ContentBody, EmptyBody, LanguageQuery
from dossier_service.api.context import counter, language
from dossier_service.api.journey import ACCEPTED, count_step, count_submission
from dossier_service.api.locked import locked, require_level
from dossier_service.api.proofs import Declaration, Receipt
from dossier_service.api.refusals import refusals
from dossier_service.api.schemas import DossierPage
from dossier_service.claims import queries, store
from dossier_service.claims.commands.depositing import submit_dossier, withdraw_dossier
from dossier_service.claims.form import declaration_view
from dossier_service.claims.model import DossierRefused
from espace.http import Blueprint, Problem, database, idempotent, principal, transaction
from espace.telemetry import get_logger
from espace.telemetry.metrics import Step

blueprint = Blueprint("deposits", __name__, service="dossier", auth="citizen", url_prefix="/api/dossier/v1")
log = get_logger()


@blueprint.route("/dossiers/<uuid:dossier_id>/submission", methods=["POST"])
@idempotent(on_arrival=stamp_dossier)
@blueprint.arguments(ContentBody)
@blueprint.arguments(LanguageQuery, location="query")
@blueprint.response(201, Receipt)
def submit(body: dict[str, Any], _query: dict[str, Any], dossier_id: UUID) -> dict[str, Any]:
    """Deposit what the citizen saw, at the instant the request arrived; the answer is the receipt."""
    procedure = "unknown"
    try:
        with locked(dossier_id) as at:
            procedure = at.dossier.procedure
            require_level(at.practice.procedure)
            submit_dossier(at.unit, at.practice, at.dossier, arrived_at(), body["content_sha256"])
            settle(at.unit.session, dossier_id)
            receipt = queries.receipt_page(at.unit.session, counter().desk, at.dossier, language())
    except Problem as refusal:
        count_submission(procedure, refusal.code)
        log.info("dossier.refused", dossier_id=str(dossier_id), reason=refusal.code)
        raise
    count_submission(procedure, ACCEPTED)
    count_step(procedure, Step.SUBMITTED)
    return receipt


@blueprint.route("/dossiers/<uuid:dossier_id>/receipt")
@blueprint.arguments(LanguageQuery, location="query")
@blueprint.response(200, Receipt)
def get_receipt(_query: dict[str, Any], dossier_id: UUID) -> dict[str, Any]:
    """The proof of deposit."""
    with refusals(), database().session() as session:
        dossier = store.own(session, principal().citizen, dossier_id)
        if dossier.received_at is None:
            raise DossierRefused("not_submitted")
        return queries.receipt_page(session, counter().desk, dossier, language())


@blueprint.route("/dossiers/<uuid:dossier_id>/declaration")
@blueprint.arguments(LanguageQuery, location="query")
@blueprint.response(200, Declaration)
def get_declaration(_query: dict[str, Any], dossier_id: UUID) -> dict[str, Any]:
    """The frozen form, as its PDF shows it."""
    with refusals(), database().session() as session:
        dossier = store.own(session, principal().citizen, dossier_id)
        if dossier.values_sha256 is None:
            raise DossierRefused("not_validated")
        practice = counter().desk.version(dossier.procedure, dossier.procedure_version)
        return declaration_view(practice, dossier, language())


@blueprint.route("/dossiers/<uuid:dossier_id>/withdrawal", methods=["POST"])
@idempotent
@blueprint.arguments(EmptyBody)
@blueprint.arguments(LanguageQuery, location="query")
@blueprint.response(200, DossierPage)
def withdraw(_body: dict[str, Any], _query: dict[str, Any], dossier_id: UUID) -> dict[str, Any]:
    """Take the deposit back while the window is open; the constituency is free again."""
    with transaction() as unit:
        arrived = counter().now(unit.session)  # before the dossier's row is waited for
        with locked(dossier_id) as at:
            require_level(at.practice.procedure)
            withdraw_dossier(at.unit, at.practice, at.dossier, arrived)
            return at.page()
