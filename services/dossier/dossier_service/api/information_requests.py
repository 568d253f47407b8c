"""Routes: the pieces of a request for information, and its answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from dossier_service.api.arrival import arrived_at, settle, stamp_request
from dossier_service.api.bodies import ContentBody, LanguageQuery, PieceBody
from dossier_service.api.context import counter, language
from dossier_service.api.locked import Locked, locked, require_level
from dossier_service.api.proofs import Answer
from dossier_service.api.refusals import refusals
from dossier_service.api.schemas import DossierPage
from dossier_service.claims import store
from dossier_service.information_requests.commands import answer_request
from dossier_service.information_requests.model import InformationRequest
from dossier_service.information_requests.pages import answer_view
from dossier_service.information_requests.store import find
from dossier_service.pieces import PieceRefused
from dossier_service.procedures.model import InformationRequestPolicy
from dossier_service.statements import read_statement
from espace.http import Blueprint, conditional, idempotent, principal, require_match

PATH = "/dossiers/<uuid:dossier_id>/information-requests/<uuid:request_id>"
blueprint = Blueprint(
    "information-requests", __name__, service="dossier", auth="citizen", url_prefix="/api/dossier/v1"
)


@contextmanager
def _asked(dossier_id: UUID, request_id: UUID) -> Iterator[tuple[Locked, InformationRequest]]:
    with locked(dossier_id) as at:
        request = find(at.unit.session, request_id)
        if request is None or request.dossier_id != dossier_id:
            raise store.NotFound
        yield at, request


@blueprint.route(f"{PATH}/attachments", methods=["POST"])
@idempotent
@blueprint.arguments(PieceBody)
@blueprint.arguments(LanguageQuery, location="query")
@blueprint.response(201, DossierPage)
def add_piece(body: dict[str, Any], _query: dict[str, Any], dossier_id: UUID, request_id: UUID) -> Any:
    """Add a file; it counts once the answer is sent."""
    with refusals():
        facts = read_statement(
            body["statement"], counter().keys, owner_id=principal().citizen, dossier_id=dossier_id
        )
    with _asked(dossier_id, request_id) as (at, request):
        policy = _policy(at)
        if facts.slot != policy.slot.key:
            raise PieceRefused("unknown_slot", None)
        new = request.add(facts, policy, at.now)
        if new:
            at.dossier.touch()
        return at.page(), 201 if new else 200


@blueprint.route(f"{PATH}/attachments/<uuid:document_id>", methods=["DELETE"])
@conditional
@blueprint.arguments(LanguageQuery, location="query")
@blueprint.response(200, DossierPage)
def remove_piece(
    _query: dict[str, Any], dossier_id: UUID, request_id: UUID, document_id: UUID
) -> dict[str, Any]:
    """Remove a file that was not sent."""
    with _asked(dossier_id, request_id) as (at, request):
        require_match(at.dossier.version)
        if not request.remove(document_id):
            raise store.NotFound
        at.dossier.touch()
        return at.page()


@blueprint.route(f"{PATH}/answer", methods=["POST"])
@idempotent(on_arrival=stamp_request)
@blueprint.arguments(ContentBody)
@blueprint.arguments(LanguageQuery, location="query")
@blueprint.response(201, Answer)
def answer(
    body: dict[str, Any], _query: dict[str, Any], dossier_id: UUID, request_id: UUID
) -> dict[str, Any]:
    """Send the pieces, at the instant the request arrived; late is kept, and marked with the reason."""
    with _asked(dossier_id, request_id) as (at, request):
        require_level(at.practice.procedure)
        answer_request(at.unit, at.dossier, request, arrived_at(), body["content_sha256"])
        settle(at.unit.session, request_id)
        return answer_view(request, at.dossier.number, language())


def _policy(at: Locked) -> InformationRequestPolicy:
    policy = at.practice.procedure.information_request
    assert policy is not None, "a request comes with its policy"
    return policy
