"""The counter: home, list of dossiers, catalogue, a procedure's page, partner counters."""

from flask import Blueprint, g, redirect, request
from werkzeug.wrappers import Response

from espace_web.context import api, form_key, language, page
from espace_web.remote import Refused

views = Blueprint("counter", __name__)
PAGE_SIZE = 20
STATES = ("draft", "validated", "submitted", "withdrawn")
SORTS = ("-saved_at", "saved_at", "number")


@views.get("/accueil")
def home() -> Response:
    """« Accueil »."""
    dossiers = api("dossier").get("/dossiers", page=1, page_size=PAGE_SIZE, language=language())
    waiting = [dossier for dossier in dossiers["items"] if dossier["action_required"]]
    return page("counter/home.html", waiting=waiting, recent=dossiers["items"][:3], total=dossiers["total"])


@views.get("/dossiers")
def dossiers() -> Response:
    """« Mes Dossiers »."""
    state, sort = request.args.get("etat", ""), request.args.get("tri", "")
    number = request.args.get("page", 1, type=int)
    wanted = {"page": max(number, 1), "page_size": PAGE_SIZE, "language": language()}
    if state in STATES:
        wanted["state"] = state
    if sort in SORTS:
        wanted["sort"] = sort
    found = api("dossier").get("/dossiers", **wanted)
    return page("counter/dossiers.html", found=found, state=state, sort=sort)


@views.get("/demarches")
def catalogue() -> Response:
    """The catalogue with its search bar."""
    words = request.args.get("q", "").strip()[:200]
    found = api("dossier").get("/procedures", q=words, language=language())
    return page("counter/catalogue.html", words=words, found=found)


@views.get("/demarches/<key>")
def procedure(key: str) -> Response:
    """A procedure: what it is for, who may use it, until when."""
    return page("counter/procedure.html", procedure=_procedure(key), refusal=None)


@views.post("/demarches/<key>")
def fill_in(key: str) -> Response:
    """« Remplir »: a draft is opened."""
    try:
        dossier = api("dossier").post("/dossiers", {"procedure": key}, key=form_key())
    except Refused as error:
        if error.status not in (409, 422):
            raise
        return page("counter/procedure.html", error.status, procedure=_procedure(key), refusal=error.detail)
    return redirect(f"/dossiers/{dossier['id']}/formulaire", 303)


@views.get("/guichets")
def partners() -> Response:
    """« Guichets partenaires »."""
    return page("counter/partners.html")


def _procedure(key: str) -> object:
    if "procedure" not in g:
        g.procedure = api("dossier").get(f"/procedures/{key}", language=language())
    return g.procedure
