"""The deposit: « Vérifiez votre dossier », « Confirmer », the receipt; and withdrawing."""

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from espace.telemetry.metrics import JOURNEY_STEPS, Step
from espace_web.confirming import confirm
from espace_web.context import api, form_key, language, page
from espace_web.notices import notices_of, why
from espace_web.remote import Refused
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
    JOURNEY_STEPS.labels(dossier["procedure"]["key"], Step.CONFIRM_PAGE).inc()
    return page("deposit/check.html", dossier=dossier, refusal=None)


@views.post("/verification")
def submit(dossier_id: object) -> Response:
    """« Confirmer »."""
    try:
        confirm(f"/dossiers/{dossier_id}/submission", dossier_id)
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
    mails = [one for one in notices_of(dossier_id) or [] if one["template"] == "receipt"]
    mail = mails[0] if mails else None
    return page("deposit/receipt.html", receipt=found, dossier_id=dossier_id, mail=mail, why=why)


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
