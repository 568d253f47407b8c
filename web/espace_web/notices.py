"""What became of each message about a dossier, in words. They come from notifier and may be missing alone."""

from typing import Any

from espace_web.context import N_, _, api
from espace_web.id_tokens import IdentityAway
from espace_web.remote import Refused, ServiceDown

Notice = dict[str, Any]

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


def notices_of(dossier_id: object) -> list[Notice] | None:
    """The messages about a dossier; None while notifier does not say."""
    try:
        found: list[Notice] = api("notifier").get("/notifications", dossier_id=str(dossier_id))
    except (ServiceDown, Refused, IdentityAway):
        return None
    return found


def notice_name(template: str) -> str:
    """What a message is about."""
    return _(TEMPLATES[template]) if template in TEMPLATES else template


def outcome(state: str) -> tuple[str, str]:
    """What became of a message, and its tone."""
    words, tone = OUTCOMES.get(state, OUTCOMES["created"])
    return _(words), tone


def why(notice: Notice) -> str:
    """Why a message was not sent, or not yet; empty when there is nothing to say."""
    reason = notice["reason"] or ""
    return _(REASONS[reason]) if notice["state"] != "sent" and reason in REASONS else ""
