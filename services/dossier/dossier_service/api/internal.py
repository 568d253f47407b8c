"""Routes for other services."""

from typing import Any
from uuid import UUID

from dossier_service.api.context import counter
from dossier_service.api.proofs import InternalDossier
from dossier_service.api.refusals import refusals
from dossier_service.claims import queries, store
from espace.http import Blueprint, database

blueprint = Blueprint("internal", __name__, service="dossier", auth="service", url_prefix="/internal/v1")


@blueprint.route("/dossiers/<uuid:dossier_id>")
@blueprint.response(200, InternalDossier)
def get_dossier(dossier_id: UUID) -> dict[str, Any]:
    """A dossier's facts, for mails and documents."""
    with refusals(), database().session() as session:
        dossier = store.find(session, dossier_id)
        if dossier is None:
            raise store.NotFound
        return queries.internal_page(session, counter().desk, dossier)
