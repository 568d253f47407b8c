"""The pieces of a dossier: the declaration, the slots, adding a file and removing one."""

import re
import uuid
from typing import Any

from flask import Blueprint, abort, jsonify, redirect, request
from flask import Response as FlaskResponse
from werkzeug.wrappers import Response

from espace_web.context import View, api, form_key, language, page
from espace_web.uploads import FileRefused, Place, announce, bring, finish
from espace_web.views.form import Dossier, read

views = Blueprint("attachments", __name__, url_prefix="/dossiers/<uuid:dossier_id>/pieces")
SHA256 = re.compile(r"[0-9a-f]{64}")
FILENAME_LENGTH = 255


def takes_file(view: View) -> View:
    """Mark a view whose form may carry a file."""
    view.takes_file = True  # type: ignore[attr-defined]
    return view


@views.get("")
def pieces(dossier_id: object) -> Response:
    """The slots with their files, the declaration, and the way to the deposit."""
    dossier = read(dossier_id)
    if dossier["state"] == "draft":
        return redirect(f"/dossiers/{dossier_id}/formulaire", 303)
    if "attach" not in dossier["actions"]:
        return redirect(f"/dossiers/{dossier_id}", 303)
    return page("pieces/pieces.html", dossier=dossier, just_validated=bool(request.args.get("valide")))


@views.get("/<slot>")
def slot_page(dossier_id: object, slot: str) -> Response:
    """« Ajouter un fichier »: the dashed rectangle, « Sélectionnez », « Fermer »."""
    dossier = read(dossier_id)
    return _upload_page(dossier, _slot(dossier, slot))


@views.post("/<slot>")
@takes_file
def add(dossier_id: object, slot: str) -> Response:
    """One file by a plain form."""
    dossier = read(dossier_id)
    place = Place(str(dossier_id), _slot(dossier, slot))
    try:
        bring(place, request.files.get("fichier"), key=form_key())
    except FileRefused as error:
        return _upload_page(read(dossier_id), place.slot, refused=error)
    return redirect(f"/dossiers/{dossier_id}/pieces/{slot}?ajoute=1", 303)


@views.post("/<slot>/preparation")
def prepare(dossier_id: object, slot: str) -> Response:
    """For our script: a signed form for one file."""
    return prepare_upload(Place(str(dossier_id), _slot(read(dossier_id), slot)))


@views.post("/<slot>/fin")
def complete(dossier_id: object, slot: str) -> Response:
    """For our script: the bytes are sent; verify and attach."""
    return complete_upload(Place(str(dossier_id), _slot(read(dossier_id), slot)))


@views.post("/<slot>/<uuid:document_id>/suppression")
def remove(dossier_id: object, slot: str, document_id: object) -> Response:
    """Remove one piece; a piece already gone is gone."""
    dossier = read(dossier_id)
    if any(piece["document_id"] == str(document_id) for piece in dossier["attachments"]):
        path = f"/dossiers/{dossier_id}/attachments/{document_id}?language={language()}"
        api("dossier").delete(path, version=dossier["version"])
    back = "" if request.form.get("depuis") == "pieces" else f"/{slot}"
    return redirect(f"/dossiers/{dossier_id}/pieces{back}", 303)


def prepare_upload(place: Place) -> FlaskResponse:
    """The JSON answer to « here is a file of this name, size and hash »."""
    size = request.form.get("taille", -1, type=int)
    sha256 = request.form.get("sha256", "")
    name = request.form.get("nom", "")[:FILENAME_LENGTH]
    if not SHA256.fullmatch(sha256) or not name:
        abort(400)
    try:
        announced = announce(
            place,
            filename=name,
            size=size,
            content_type=request.form.get("type", ""),
            sha256=sha256,
            key=form_key("announcement"),
        )
    except FileRefused as error:
        return _refusal(error)
    return jsonify(document_id=announced["document_id"], form=announced["form"])


def complete_upload(place: Place) -> FlaskResponse:
    """The JSON answer to « the bytes are sent »."""
    try:
        document_id = str(uuid.UUID(request.form.get("document", "")))
    except ValueError:
        abort(400)
    try:
        finish(place, document_id, key=form_key())
    except FileRefused as error:
        return _refusal(error)
    return jsonify(document_id=document_id)


def _refusal(error: FileRefused) -> FlaskResponse:
    response = jsonify(error=error.message, code=error.code)
    response.status_code = 422
    return response


def _slot(dossier: Dossier, key: str) -> dict[str, Any]:
    if "attach" not in dossier["actions"]:
        abort(409)
    slots: dict[str, dict[str, Any]] = {slot["key"]: slot for slot in dossier["slots"]}
    return slots[key] if key in slots else abort(404)


def _upload_page(dossier: Dossier, slot: dict[str, Any], refused: FileRefused | None = None) -> Response:
    base = f"/dossiers/{dossier['id']}/pieces"
    return page(
        "pieces/upload.html",
        422 if refused else 200,
        dossier=dossier,
        slot=slot,
        files=[piece for piece in dossier["attachments"] if piece["slot"] == slot["key"]],
        action=f"{base}/{slot['key']}",
        remove_base=f"{base}/{slot['key']}",
        close=base,
        added=bool(request.args.get("ajoute")),
        errors={"fichier": [refused.message]} if refused else None,
    )
