"""Routes: drafts, from opening to the validated form with its files."""

from typing import Any
from uuid import UUID

from dossier_service.api.bodies import (
    AttachmentBody,
    EmptyBody,
    LanguageQuery,
    ListQuery,
    OpenBody,
    ValuesBody,
)
from dossier_service.api.context import counter, language
from dossier_service.api.journey import count_step
from dossier_service.api.locked import locked, page_of, require_level
from dossier_service.api.prefill import ask_identity, complete_before_validation, complete_prefill, identity
from dossier_service.api.refusals import refusals
from dossier_service.api.schemas import DossierList, DossierPage
from dossier_service.claims import queries, store
from dossier_service.claims.commands import drafting
from dossier_service.pieces import PieceRefused
from dossier_service.statements import read_statement
from espace.http import (
    Blueprint,
    conditional,
    database,
    idempotent,
    principal,
    require_match,
    transaction,
)
from espace.telemetry.metrics import Step

blueprint = Blueprint("dossiers", __name__, service="dossier", auth="citizen", url_prefix="/api/dossier/v1")


@blueprint.route("/dossiers", methods=["POST"])
@idempotent(on_arrival=ask_identity)
@blueprint.arguments(OpenBody)
@blueprint.arguments(LanguageQuery, location="query")
@blueprint.response(201, DossierPage)
def open_dossier(body: dict[str, Any], _query: dict[str, Any]) -> dict[str, Any]:
    """Open a draft of a procedure, prefilled from the login."""
    with refusals(), transaction() as unit:
        practice = counter().desk.newest(body["procedure"])
        require_level(practice.procedure)
        now = counter().now(unit.session)
        dossier = drafting.open_dossier(unit, practice, principal(), identity(), now)
        page = page_of(unit.session, dossier, now)
    count_step(dossier.procedure, Step.OPENED)
    return page


@blueprint.route("/dossiers")
@blueprint.arguments(ListQuery, location="query")
@blueprint.response(200, DossierList)
def list_dossiers(query: dict[str, Any]) -> dict[str, Any]:
    """The citizen's dossiers, a page at a time."""
    with database().session() as session:
        return queries.list_page(
            session,
            counter().desk,
            principal().citizen,
            state=query["state"],
            sort=query["sort"],
            page=query["page"],
            page_size=query["page_size"],
            language=language(),
        )


@blueprint.route("/dossiers/<uuid:dossier_id>")
@blueprint.arguments(LanguageQuery, location="query")
@blueprint.response(200, DossierPage)
def get_dossier(_query: dict[str, Any], dossier_id: UUID) -> dict[str, Any]:
    """Everything the page of a dossier shows."""
    with refusals(), database().session() as session:
        dossier = store.own(session, principal().citizen, dossier_id)
        return page_of(session, dossier, counter().now(session))


@blueprint.route("/dossiers/<uuid:dossier_id>/values", methods=["PATCH"])
@conditional
@blueprint.arguments(ValuesBody)
@blueprint.arguments(LanguageQuery, location="query")
@blueprint.response(200, DossierPage)
def patch_values(body: dict[str, Any], _query: dict[str, Any], dossier_id: UUID) -> dict[str, Any]:
    """Keep what was typed, right or wrong; the answer's ``errors`` say what is wrong."""
    complete_prefill(dossier_id)
    with locked(dossier_id) as at:
        require_match(at.dossier.version)
        first = not at.dossier.typed
        at.dossier.type_in(at.practice, body["values"], at.now)
        page = at.page()
    if first:
        count_step(at.dossier.procedure, Step.VALUES_SAVED)
    return page


@blueprint.route("/dossiers/<uuid:dossier_id>/validation", methods=["POST"])
@idempotent(on_arrival=complete_before_validation)
@blueprint.arguments(EmptyBody)
@blueprint.arguments(LanguageQuery, location="query")
@blueprint.response(200, DossierPage)
def validate_dossier(_body: dict[str, Any], _query: dict[str, Any], dossier_id: UUID) -> dict[str, Any]:
    """Validate and freeze the form, or 422 with every error at its field."""
    with locked(dossier_id) as at:
        before = at.dossier.state
        at.dossier.validate(at.practice, at.now)
        page = at.page()
    if at.dossier.state != before:
        count_step(at.dossier.procedure, Step.VALIDATED)
    return page


@blueprint.route("/dossiers/<uuid:dossier_id>/attachments", methods=["POST"])
@idempotent
@blueprint.arguments(AttachmentBody)
@blueprint.arguments(LanguageQuery, location="query")
@blueprint.response(201, DossierPage)
def attach(body: dict[str, Any], _query: dict[str, Any], dossier_id: UUID) -> Any:
    """Add a file by documents' signed statement; the same file again changes nothing (200)."""
    with refusals():
        facts = read_statement(
            body["statement"], counter().keys, owner_id=principal().citizen, dossier_id=dossier_id
        )
        if facts.slot != body["slot"]:
            raise PieceRefused("unknown_slot", None)
    with locked(dossier_id) as at:
        first = not at.dossier.attachments
        new = at.dossier.attach(at.practice, facts, at.now)
        page = at.page()
    if new and first:
        count_step(at.dossier.procedure, Step.PIECE_ADDED)
    return page, 201 if new else 200


@blueprint.route("/dossiers/<uuid:dossier_id>/attachments/<uuid:document_id>", methods=["DELETE"])
@conditional
@blueprint.arguments(LanguageQuery, location="query")
@blueprint.response(200, DossierPage)
def detach(_query: dict[str, Any], dossier_id: UUID, document_id: UUID) -> dict[str, Any]:
    """Remove a file from a draft."""
    with locked(dossier_id) as at:
        require_match(at.dossier.version)
        if not at.dossier.detach(document_id, at.now):
            raise store.NotFound
        return at.page()
