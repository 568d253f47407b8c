"""Answering a request for further information (DRC)."""

from typing import Any

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response

from espace_web.confirming import confirm
from espace_web.context import api, form_key, language, page
from espace_web.remote import Refused
from espace_web.uploads import FileRefused, Place, bring
from espace_web.views.attachments import complete_upload, prepare_upload, takes_file
from espace_web.views.form import Dossier, read

views = Blueprint("drc", __name__, url_prefix="/dossiers/<uuid:dossier_id>/drc/<uuid:request_id>")
Wanted = dict[str, Any]


@views.get("")
def show(dossier_id: object, request_id: object) -> Response:
    """What is asked, until when and why then, and the pieces gathered so far."""
    dossier, wanted = _find(dossier_id, request_id)
    return page("drc/drc.html", dossier=dossier, wanted=wanted)


@views.get("/pieces")
def upload_page(dossier_id: object, request_id: object) -> Response:
    """« Ajouter un fichier »."""
    dossier, wanted = _find(dossier_id, request_id)
    return _upload_page(dossier, wanted)


@views.post("/pieces")
@takes_file
def add(dossier_id: object, request_id: object) -> Response:
    """One file by a plain form."""
    _dossier, wanted = _find(dossier_id, request_id, action="attach")
    try:
        bring(_place(dossier_id, wanted), request.files.get("fichier"), key=form_key())
    except FileRefused as error:
        return _upload_page(*_find(dossier_id, request_id), refused=error)
    return redirect(f"/dossiers/{dossier_id}/drc/{request_id}/pieces?ajoute=1", 303)


@views.post("/pieces/preparation")
def prepare(dossier_id: object, request_id: object) -> Response:
    """For our script: a signed form for one file."""
    return prepare_upload(_place(dossier_id, _find(dossier_id, request_id, action="attach")[1]))


@views.post("/pieces/fin")
def complete(dossier_id: object, request_id: object) -> Response:
    """For our script: the bytes are sent; verify and attach."""
    return complete_upload(_place(dossier_id, _find(dossier_id, request_id, action="attach")[1]))


@views.post("/pieces/<uuid:document_id>/suppression")
def remove(dossier_id: object, request_id: object, document_id: object) -> Response:
    """Remove one piece that was not sent yet."""
    dossier, wanted = _find(dossier_id, request_id)
    if any(piece["document_id"] == str(document_id) for piece in wanted["attachments"]):
        path = f"/dossiers/{dossier_id}/information-requests/{request_id}/attachments/{document_id}"
        api("dossier").delete(f"{path}?language={language()}", version=dossier["version"])
    back = "" if request.form.get("depuis") == "pieces" else "/pieces"
    return redirect(f"/dossiers/{dossier_id}/drc/{request_id}{back}", 303)


@views.get("/verification")
def check(dossier_id: object, request_id: object) -> Response:
    """Everything once more, said clearly when it is late, and « Confirmer »."""
    dossier, wanted = _find(dossier_id, request_id)
    if "answer" not in wanted["actions"]:
        return redirect(f"/dossiers/{dossier_id}/drc/{request_id}", 303)
    return page("drc/check.html", dossier=dossier, wanted=wanted, refusal=None)


@views.post("/verification")
def answer(dossier_id: object, request_id: object) -> Response:
    """« Confirmer »: the answer is sent."""
    try:
        confirm(f"/dossiers/{dossier_id}/information-requests/{request_id}/answer", request_id)
    except Refused as error:
        if error.code != "already_answered":
            if error.status not in (409, 422):
                raise
            dossier, wanted = _find(dossier_id, request_id)
            return page("drc/check.html", error.status, dossier=dossier, wanted=wanted, refusal=error)
    return redirect(f"/dossiers/{dossier_id}/drc/{request_id}?envoye=1", 303)


def _find(dossier_id: object, request_id: object, action: str | None = None) -> tuple[Dossier, Wanted]:
    dossier = read(dossier_id)
    requests: dict[str, Wanted] = {wanted["id"]: wanted for wanted in dossier["information_requests"]}
    wanted = requests.get(str(request_id)) or abort(404)
    if action is not None and action not in wanted["actions"]:
        abort(409)
    return dossier, wanted


def _place(dossier_id: object, wanted: Wanted) -> Place:
    return Place(str(dossier_id), wanted["slot"], wanted["id"])


def _upload_page(dossier: Dossier, wanted: Wanted, refused: FileRefused | None = None) -> Response:
    base = f"/dossiers/{dossier['id']}/drc/{wanted['id']}"
    if "attach" not in wanted["actions"]:
        return redirect(base, 303)
    return page(
        "pieces/upload.html",
        422 if refused else 200,
        dossier=dossier,
        slot=wanted["slot"],
        files=wanted["attachments"],
        action=f"{base}/pieces",
        remove_base=f"{base}/pieces",
        close=base,
        added=bool(request.args.get("ajoute")),
        errors={"fichier": [refused.message]} if refused else None,
    )
