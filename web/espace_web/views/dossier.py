"""A dossier's page: its steps, what is asked, its pieces, what became of each notice; its documents."""

import uuid
from typing import Any

from flask import Blueprint, redirect
from werkzeug.wrappers import Response

from espace_web.context import N_, _, api, page
from espace_web.oidc import IdentityAway
from espace_web.remote import Refused, ServiceDown
from espace_web.views.form import read

views = Blueprint("dossier", __name__)
TEMPLATES = {
    "space_confirmation": N_("Confirmation de votre adresse"),
    "receipt": N_("Accusé de réception"),
    "drc_opened": N_("Demande de renseignement complémentaire"),
    "drc_reminder": N_("Rappel de l’échéance"),
    "drc_answered": N_("Réponse reçue"),
    "drc_lapsed": N_("Demande échue"),
}
OUTCOMES = {
    "created": (N_("En attente d’envoi"), "busy"),
    "sending": (N_("En attente d’envoi"), "busy"),
    "temporary": (N_("Nouvel essai prévu"), "busy"),
    "sent": (N_("Envoyé"), "good"),
    "failed": (N_("Non distribué"), "bad"),
    "not_sent": (N_("Non envoyé"), "quiet"),
}
REASONS = {
    "answered": N_("vous aviez déjà répondu"),
    "lapsed": N_("la demande était échue"),
    "withdrawn": N_("le dossier était retiré"),
    "too_late": N_("l’échéance était passée"),
    "no_confirmed_address": N_("votre adresse n’est pas confirmée"),
    "expired": N_("le lien avait expiré"),
    "server_unreachable": N_("le serveur de messagerie ne répond pas"),
}


@views.get("/dossiers/<uuid:dossier_id>")
def show(dossier_id: object) -> Response:
    """One dossier. The notices come from another service and may be missing alone."""
    dossier = read(dossier_id)
    try:
        notices = api("notifier").get("/notifications", dossier_id=str(dossier_id))
    except (ServiceDown, Refused, IdentityAway):
        notices = None
    return page(
        "dossier/dossier.html",
        dossier=dossier,
        notices=notices,
        notice_name=_notice_name,
        outcome=_outcome,
        why=_why,
    )


@views.get("/dossiers/<uuid:dossier_id>/declaration")
def declaration(dossier_id: object) -> Response:
    """The declaration as a PDF; made from the frozen values when it does not exist yet."""
    values = read(dossier_id)["values_sha256"]
    return _generated("/declarations", dossier_id, f"declaration {values}")


@views.get("/dossiers/<uuid:dossier_id>/recepisse.pdf")
def receipt_pdf(dossier_id: object) -> Response:
    """The receipt as a PDF."""
    return _generated("/receipts", dossier_id, "receipt")


@views.get("/documents/<uuid:document_id>")
def download(document_id: object) -> Response:
    """To the document's short-lived signed address."""
    found = api("documents").get(f"/documents/{document_id}/download")
    return redirect(found["url"], 303)


def _generated(path: str, dossier_id: object, name: str) -> Response:
    key = str(uuid.uuid5(uuid.UUID(str(dossier_id)), name))
    made = api("documents").post(path, {"dossier_id": str(dossier_id)}, key=key)
    return download(made["document_id"])


def _notice_name(template: str) -> str:
    return _(TEMPLATES[template]) if template in TEMPLATES else template


def _outcome(state: str) -> tuple[str, str]:
    words, tone = OUTCOMES.get(state, OUTCOMES["created"])
    return _(words), tone


def _why(notice: dict[str, Any]) -> str:
    reason = notice["reason"] or ""
    return _(REASONS[reason]) if notice["state"] != "sent" and reason in REASONS else ""
