"""The form: sections, declarations on honour, draft saved on the way, summary and « Valider »."""

from typing import Any

from flask import Blueprint, jsonify, redirect, request
from werkzeug.wrappers import Response

from espace_web import asides
from espace_web.context import _, api, current_session, form_key, house, language, page
from espace_web.errors import wants_json
from espace_web.kept import keeps_form
from espace_web.remote import Refused

views = Blueprint("form", __name__, url_prefix="/dossiers/<uuid:dossier_id>")
Dossier = dict[str, Any]


@views.get("/formulaire")
def show(dossier_id: object) -> Response:
    """The form with what is saved, or with what was kept when a session ended."""
    dossier = read(dossier_id)
    if "edit" not in dossier["actions"]:
        return redirect(f"/dossiers/{dossier_id}", 303)
    kept = house().store.kept_form(current_session().citizen_id, request.path)
    if kept:
        _overlay(dossier, {name: values[-1] for name, values in kept.items()})
    return _render(dossier, kept=bool(kept))


@views.post("/formulaire")
@keeps_form
def save(dossier_id: object) -> Response:
    """« Étape suivante », « Enregistrer », another language, or the page's own autosave (JSON)."""
    before = read(dossier_id)
    values = _typed(before)
    try:
        dossier = api("dossier").patch(
            f"/dossiers/{dossier_id}/values?language={language()}",
            {"values": values},
            version=_version(before),
        )
    except Refused as error:
        if error.status not in (409, 412, 422):
            raise
        dossier = read(dossier_id)
        if error.status != 412 or not _same(dossier, values):
            return _not_saved(dossier_id, dossier, values, error)
    house().store.drop_form(current_session().citizen_id, request.path)
    if wants_json():
        return jsonify(version=dossier["version"], saved_at=dossier["saved_at"])
    if asides.asked():
        return asides.follow(request.path)
    if request.form.get("action") == "enregistrer":
        return redirect(f"/dossiers/{dossier_id}/formulaire?enregistre=1", 303)
    if dossier["errors"]:
        return _render(dossier, status=422, errors=dossier["errors"])
    return redirect(f"/dossiers/{dossier_id}/formulaire/resume", 303)


@views.get("/formulaire/resume")
def summary(dossier_id: object) -> Response:
    """What was filled in, to read again before « Valider »."""
    dossier = read(dossier_id)
    if "edit" not in dossier["actions"]:
        return redirect(f"/dossiers/{dossier_id}", 303)
    return page("form/summary.html", dossier=dossier)


@views.post("/formulaire/resume")
def validate(dossier_id: object) -> Response:
    """« Valider »: the values are frozen; they are the declaration."""
    try:
        api("dossier").post(f"/dossiers/{dossier_id}/validation?language={language()}", {}, key=form_key())
    except Refused as error:
        if error.status != 422:
            raise
        return _render(read(dossier_id), status=422, errors=error.errors)
    return redirect(f"/dossiers/{dossier_id}/pieces?valide=1", 303)


def read(dossier_id: object) -> Dossier:
    """Everything a page shows of a dossier."""
    dossier: Dossier = api("dossier").get(f"/dossiers/{dossier_id}", language=language())
    return dossier


def _typed(dossier: Dossier) -> dict[str, Any]:
    """What the form sends, for the fields the citizen may fill in; a box not ticked is not sent."""
    values: dict[str, Any] = {}
    for section in dossier["form"]["sections"]:
        for field in section["fields"]:
            key, kind = field["key"], field["type"]
            if kind == "checkbox" and f"{key}.present" in request.form:
                values[key] = key in request.form
            elif kind not in ("readonly", "checkbox") and key in request.form:
                values[key] = request.form[key].strip() or None
    for statement in dossier["form"]["statements"]:
        if f"{statement['key']}.present" in request.form:
            values[statement["key"]] = statement["key"] in request.form
    return values


def _version(dossier: Dossier) -> int:
    return request.form.get("version", int(dossier["version"]), type=int)


def _same(dossier: Dossier, values: dict[str, Any]) -> bool:
    """Whether these values are saved already: the same form came twice."""
    saved = dossier["values"]
    return "edit" in dossier["actions"] and all(
        (saved.get(key) or None) == (value or None) for key, value in values.items()
    )


def _not_saved(dossier_id: object, dossier: Dossier, values: dict[str, Any], error: Refused) -> Response:
    if error.status == 412:
        text = _(
            "Ce formulaire a été modifié dans une autre fenêtre. Vos dernières réponses sont conservées "
            "ci-dessous : vérifiez-les, puis enregistrez à nouveau."
        )
    else:
        text = error.detail
    if wants_json():
        return jsonify(error=text), error.status  # type: ignore[return-value]
    if "edit" not in dossier["actions"]:
        return redirect(f"/dossiers/{dossier_id}", 303)
    _overlay(dossier, values)
    return _render(dossier, status=error.status, errors=error.errors, problem=text)


def _overlay(dossier: Dossier, values: dict[str, Any]) -> None:
    """Show ``values`` instead of what is saved."""
    for section in dossier["form"]["sections"]:
        for field in section["fields"]:
            key = field["key"]
            if field["type"] == "checkbox":
                _overlay_box(field, values)
            elif key in values and field["type"] != "readonly":
                field["value"] = values[key]
    for statement in dossier["form"]["statements"]:
        _overlay_box(statement, values)


def _overlay_box(box: dict[str, Any], values: dict[str, Any]) -> None:
    if f"{box['key']}.present" in values or box["key"] in values:
        box["value"] = bool(values.get(box["key"]))


def _render(
    dossier: Dossier,
    *,
    status: int = 200,
    errors: dict[str, list[str]] | None = None,
    problem: str | None = None,
    kept: bool = False,
) -> Response:
    order = [field["key"] for section in dossier["form"]["sections"] for field in section["fields"]]
    order += [statement["key"] for statement in dossier["form"]["statements"]]
    ordered = {key: (errors or {})[key] for key in order if key in (errors or {})}
    saved = bool(request.args.get("enregistre"))
    return page(
        "form/form.html", status, dossier=dossier, errors=ordered, problem=problem, kept=kept, saved=saved
    )
