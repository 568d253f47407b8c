"""Routes: the catalogue of procedures, and communes by name."""

from typing import Any

from dossier_service.api.bodies import CommuneQuery, LanguageQuery, SearchQuery
from dossier_service.api.context import counter, language
from dossier_service.api.proofs import Commune
from dossier_service.api.refusals import refusals
from dossier_service.api.schemas import ProcedurePage, ProcedureRow
from dossier_service.claims.offers import offer_list, offer_view
from dossier_service.texts import texts
from espace.calendar import local_date
from espace.http import Blueprint, database

blueprint = Blueprint("procedures", __name__, service="dossier", auth="citizen", url_prefix="/api/dossier/v1")


@blueprint.route("/procedures")
@blueprint.arguments(SearchQuery, location="query")
@blueprint.response(200, ProcedureRow(many=True))
def search_procedures(query: dict[str, Any]) -> list[dict[str, Any]]:
    """The procedures in which every word is found, best first; without words all."""
    desk = counter().desk
    with database().session() as session:
        now = counter().now(session)
    found = [desk.practice(procedure) for procedure in desk.catalogue.search(query["q"])]
    return offer_list(found, now, language())


@blueprint.route("/procedures/<key>")
@blueprint.arguments(LanguageQuery, location="query")
@blueprint.response(200, ProcedurePage)
def get_procedure(_query: dict[str, Any], key: str) -> dict[str, Any]:
    """One procedure: conditions, form, statements, attachments, windows."""
    with refusals():
        practice = counter().desk.newest(key)
    with database().session() as session:
        now = counter().now(session)
    return offer_view(practice, now, language())


@blueprint.route("/communes")
@blueprint.arguments(CommuneQuery, location="query")
@blueprint.response(200, Commune(many=True))
def search_communes(query: dict[str, Any]) -> list[dict[str, Any]]:
    """The communes that elect a council on a day (by default today), by the beginning of words."""
    with database().session() as session:
        day = query["on"] or local_date(counter().now(session))
    found = []
    for commune in counter().desk.places.search(query["q"], day):
        code = "problem.commune_not_covered.german_language" if commune.german_language else None
        name = commune.name[language()]
        found.append(
            {
                "ins": commune.ins,
                "name": name,
                "province": commune.province.name[language()],
                "covered": code is None,
                "reason": texts().gettext(language(), code, place=name) if code else None,
            }
        )
    return found
