"""The claim as the dossier service shows it: its procedure, form, slots and window."""

from typing import Any

CITIZEN = "6b1f0b1e-5d5e-4d9f-9a55-0d3c5b8a0001"
NOW = "2024-10-15T07:00:00Z"
WINDOW: dict[str, Any] = {
    "state": "open",
    "pv_date": "2024-10-13",
    "fictitious": True,
    "note": "Date de procès-verbal fictive.",
    "opens_at": "2024-10-12T22:00:00Z",
    "date": "2024-10-21",
    "closes_at": "2024-10-21T22:00:00Z",
    "reasons": [
        "Le jour du procès-verbal (dimanche 13 octobre 2024) ne compte pas.",
        "Huit jours de calendrier sont comptés.",
        "Le dernier jour, lundi 21 octobre 2024, est compris jusqu’à 24 h, heure de Bruxelles.",
    ],
}
SLOTS: list[dict[str, Any]] = [
    {
        "key": "reclamation",
        "title": "Réclamation datée et signée",
        "hint": "Un exposé des faits et moyens, l’identité, le domicile, la date et la signature.",
        "mandatory": True,
        "types": ["application/pdf"],
        "max_bytes": 20971520,
        "max_count": 1,
    },
    {
        "key": "autres",
        "title": "Autres documents",
        "hint": "",
        "mandatory": False,
        "types": ["application/pdf", "image/jpeg", "image/png"],
        "max_bytes": 20971520,
        "max_count": 10,
    },
]
PROCEDURE: dict[str, Any] = {
    "key": "reclamation-electorale",
    "version": 1,
    "title": "Élections locales du 13 octobre 2024 - Introduction d'une réclamation",
    "summary": "Contester l’élection à laquelle vous vous êtes présenté.",
    "conditions": [
        "Seuls les candidats peuvent introduire une réclamation, contre leur élection.",
        "Une réclamation porte sur une élection et une circonscription à la fois.",
    ],
    "min_level": 400,
    "state": "open",
    "opens_on": "2024-10-13",
    "closes_on": "2024-10-22",
    "windows": [{**WINDOW, "places": ["Province de Namur"]}],
    "sections": [],
    "statements": [],
    "attachments": SLOTS,
    "steps": [],
}


def field(key: str, kind: str, label: str, **more: Any) -> dict[str, Any]:
    """A field of a dossier's form."""
    return {
        "key": key,
        "type": kind,
        "label": label,
        "hint": "",
        "required": kind != "readonly",
        "max_length": None,
        "multiline": False,
        "autocomplete": None,
        "visible_when": None,
        "choices": [],
        "value": None,
        "display": "",
        "visible": True,
        "errors": [],
        **more,
    }


def form_sections() -> list[dict[str, Any]]:
    """The three sections of the claim."""
    provinciales = {"field": "election", "equals": "provinciales"}
    communales = {"field": "election", "equals": "communales"}
    return [
        {
            "key": "contact",
            "title": "Vos coordonnées",
            "intro": "Complétées grâce à votre connexion.",
            "fields": [
                field("family_name", "readonly", "Nom", value="Delvaux", display="Delvaux"),
                field("given_name", "readonly", "Prénom", value="Lucie", display="Lucie"),
                field("address", "readonly", "Domicile", value="x", display="Rue de Fer 12, 5000 Namur"),
                field("phone", "phone", "Téléphone", required=False, autocomplete="tel"),
            ],
        },
        {
            "key": "election",
            "title": "L’élection contestée",
            "intro": "",
            "fields": [
                field(
                    "election",
                    "choice",
                    "Quelle élection contestez-vous ?",
                    choices=[
                        {"value": "provinciales", "label": "provinciales", "note": ""},
                        {"value": "communales", "label": "communales", "note": ""},
                    ],
                ),
                field(
                    "province",
                    "readonly",
                    "Province",
                    value="namur",
                    display="Province de Namur",
                    visible_when=provinciales,
                ),
                field(
                    "district",
                    "choice",
                    "District",
                    visible_when=provinciales,
                    choices=[
                        {"value": f"d{n}", "label": f"District {n}", "note": "fictif"} for n in range(1, 7)
                    ],
                ),
                field(
                    "commune", "readonly", "Commune", value="92094", display="Namur", visible_when=communales
                ),
                field("electoral_list", "text", "Liste électorale", visible_when=communales),
            ],
        },
        {
            "key": "completeness",
            "title": "Votre dossier est-il complet ?",
            "intro": "",
            "fields": [
                field(
                    "complete",
                    "choice",
                    "État du dossier",
                    choices=[
                        {"value": "complete", "label": "Mon dossier est complet", "note": ""},
                        {
                            "value": "drc",
                            "label": "je ne dispose pas de l’ensemble des pièces et je souhaite déposer une "
                            "demande de renseignement complémentaire (DRC)",
                            "note": "",
                        },
                    ],
                )
            ],
        },
    ]


STATEMENTS: list[dict[str, Any]] = [
    {
        "key": "sworn_truth",
        "label": "Je déclare sur l’honneur que les données sont exactes",
        "required": True,
        "value": False,
        "errors": [],
    },
    {
        "key": "sworn_candidate",
        "label": "Je déclare sur l’honneur avoir été candidat",
        "required": True,
        "value": False,
        "errors": [],
    },
]
STEPS = (("draft", "Brouillon"), ("submitted", "Introduit"), ("processing", "En Traitement"))
