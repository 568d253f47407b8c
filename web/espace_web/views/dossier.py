"""A dossier's page: its steps, what is asked, its pieces, what became of each notice; its documents."""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from espace_web.context import api, language, page
from espace_web.notices import notice_name, notices_of, outcome, why
from espace_web.views.form import read

views = Blueprint("dossier", __name__)


@views.get("/dossiers/<uuid:dossier_id>")
def show(dossier_id: object) -> Response:
    """One dossier."""
    return page(
        "dossier/dossier.html",
        dossier=read(dossier_id),
        notices=notices_of(dossier_id),
        notice_name=notice_name,
        outcome=outcome,
        why=why,
    )


@views.get("/dossiers/<uuid:dossier_id>/declaration")
def declaration(dossier_id: object) -> Response:
    """The declaration as a PDF, made from the frozen values."""
    return _paper(dossier_id, "declaration")


@views.get("/dossiers/<uuid:dossier_id>/recepisse.pdf")
def receipt_pdf(dossier_id: object) -> Response:
    """The receipt as a PDF."""
    return _paper(dossier_id, "receipt")


@views.get("/documents/<uuid:document_id>")
def download(document_id: object) -> Response:
    """To the document's short-lived signed address."""
    found = api("documents").get(f"/documents/{document_id}/download")
    return redirect(found["url"], 303)


def _paper(dossier_id: object, kind: str) -> Response:
    paper = api("documents").file(f"/dossiers/{dossier_id}/{kind}", language=language())
    response = Response(paper.content, mimetype=paper.headers["Content-Type"])
    response.headers["Content-Disposition"] = paper.headers.get("Content-Disposition", "attachment")
    return response
