"""The deposit: « Vérifiez votre dossier », « Confirmer », the receipt; and withdrawing."""

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from espace_web.context import api, confirm_again, form_key, language, page
from espace_web.oidc import IdentityAway
from espace_web.remote import Refused, ServiceDown
from espace_web.views.form import read

views = Blueprint("deposit", __name__, url_prefix="/dossiers/<uuid:dossier_id>")
DONE = frozenset({"already_submitted"})


@views.get("/verification")
def check(dossier_id: object) -> Response:
    """Everything once more, and « Confirmer »."""
    dossier = read(dossier_id)
    if dossier["state"] == "submitted":
        return redirect(f"/dossiers/{dossier_id}/recepisse", 303)
    if dossier["state"] != "validated":
        return redirect(f"/dossiers/{dossier_id}", 303)
    return page("deposit/check.html", dossier=dossier, refusal=None)


@views.post("/verification")
def submit(dossier_id: object) -> Response:
    """« Confirmer ». The form's own key makes that twice counts once."""
    seen = {"content_sha256": request.form.get("contenu", "")}
    path = f"/dossiers/{dossier_id}/submission?language={language()}"
    try:
        api("dossier").post(path, seen, key=form_key())
    except (ServiceDown, IdentityAway):
        return confirm_again()
    except Refused as error:
        if error.code in DONE:
            return redirect(f"/dossiers/{dossier_id}/recepisse", 303)
        if error.status not in (409, 422):
            raise
        return page("deposit/check.html", error.status, dossier=read(dossier_id), refusal=error)
    return redirect(f"/dossiers/{dossier_id}/recepisse", 303)


@views.get("/recepisse")
def receipt(dossier_id: object) -> Response:
    """The proof of deposit: number, date and hour, files with their hash."""
    found = api("dossier").get(f"/dossiers/{dossier_id}/receipt", language=language())
    return page("deposit/receipt.html", receipt=found, dossier_id=dossier_id)


@views.get("/retrait")
def ask_withdrawal(dossier_id: object) -> Response:
    """Ask before withdrawing."""
    dossier = read(dossier_id)
    if "withdraw" not in dossier["actions"]:
        return redirect(f"/dossiers/{dossier_id}", 303)
    return page("deposit/withdraw.html", dossier=dossier)


@views.post("/retrait")
def withdraw(dossier_id: object) -> Response:
    """Withdraw; the constituency is free for a new claim."""
    api("dossier").post(f"/dossiers/{dossier_id}/withdrawal?language={language()}", {}, key=form_key())
    return redirect(f"/dossiers/{dossier_id}", 303)
