"""A stand-in for the services behind web, in memory: just enough of their documented answers."""

import copy
import json
import uuid
from typing import Any
from urllib.parse import parse_qs

import httpx

from espace.clock import utcnow
from espace.testing import LEVEL_450, Issuer

CITIZEN = "6b1f0b1e-5d5e-4d9f-9a55-0d3c5b8a0001"
NOW = "2024-10-15T07:00:00Z"
WINDOW = {
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
SLOTS = [
    {
        "key": "reclamation",
        "title": "Réclamation datée et signée",
        "hint": "Un exposé des faits et moyens, l’identité, le domicile, la date et la signature.",
        "mandatory": True,
        "types": ["application/pdf"],
        "max_bytes": 20971520,
        "max_count": 1,
        "can_add": True,
    },
    {
        "key": "autres",
        "title": "Autres documents",
        "hint": "",
        "mandatory": False,
        "types": ["application/pdf", "image/jpeg", "image/png"],
        "max_bytes": 20971520,
        "max_count": 10,
        "can_add": True,
    },
]
PROCEDURE = {
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
        "display": None,
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


STATEMENTS = [
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


class Services:
    """Every service in one; a handler for :class:`httpx.MockTransport`."""

    def __init__(self, public_url: str) -> None:
        self.public_url = public_url
        self.issuer = Issuer(f"{public_url}/identity")
        self.down: set[str] = set()
        self.calls: list[tuple[str, str, str | None]] = []
        self.expires_in = 300
        self.refreshes = 0
        self.refresh_refused = False
        self.ended: list[str] = []
        self.id_claims: dict[str, Any] = {}
        self.nonces: dict[str, str] = {}
        self.profile: dict[str, Any] = {
            "citizen_id": CITIZEN,
            "language": "fr",
            "private_email": "lucie@exemple.be",
            "pending_email": None,
            "space": "confirmed",
            "confirmation_expires_at": "2024-10-16T07:00:00Z",
            "notices": {},
        }
        self.dossiers: dict[str, dict[str, Any]] = {}
        self.uploads: dict[str, dict[str, Any]] = {}
        self.stored: dict[str, bytes] = {}
        self.in_progress = 0

    def skip_welcome(self) -> None:
        """The citizen has seen every notice."""
        for name, version in (("news", "2024-10"), ("data_protection", "1"), ("cookies", "1")):
            self.profile["notices"][name] = {"version": version, "hidden": True}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request that web makes."""
        path = request.url.path
        service = path.split("/")[2] if path.startswith("/api/") else path.split("/")[1]
        self.calls.append((request.method, path, request.headers.get("Idempotency-Key")))
        if service in self.down:
            raise httpx.ConnectError("down", request=request)
        if path.startswith("/identity/"):
            return self.identity(request, path.removeprefix("/identity/"))
        if path == "/espace-documents":
            self.stored["last"] = request.read()
            return httpx.Response(204)
        if path.endswith("/openapi.json"):
            operation = {"get": {"summary": "List", "responses": {"200": {}}}}
            return httpx.Response(
                200, json={"info": {"title": service}, "paths": {f"/api/{service}/v1/x": operation}}
            )
        if self.in_progress > 0 and request.method == "POST":
            self.in_progress -= 1
            return problem(409, "request_in_progress")
        body = json.loads(request.content) if request.content else {}
        handle = getattr(self, f"{service}_api")
        answer: httpx.Response = handle(request.method, path.split("/v1", 1)[1], body, request)
        return answer

    def tokens(self, nonce: str | None = None) -> dict[str, Any]:
        """What the token endpoint gives."""
        claims = {
            "sub": CITIZEN,
            "aud": "web",
            "nonce": nonce,
            "acr": LEVEL_450,
            "sid": "sid-1",
            "auth_time": int(utcnow().timestamp()),
            **self.id_claims,
        }
        return {
            "access_token": f"access-{uuid.uuid4()}",
            "refresh_token": f"refresh-{uuid.uuid4()}",
            "id_token": self.issuer.sign(claims, header={"typ": "JWT"}),
            "expires_in": self.expires_in,
        }

    def identity(self, request: httpx.Request, what: str) -> httpx.Response:
        """The provider's direct endpoints."""
        if what == "userinfo":
            return httpx.Response(
                200,
                json={
                    "sub": CITIZEN,
                    "given_name": "Lucie",
                    "family_name": "Delvaux",
                    "email": "lucie.delvaux@exemple.be",
                    "national_number": "85073003328",
                },
            )
        form = parse_qs(request.content.decode())
        if what == "logout":
            self.ended.append(form["id_token_hint"][0])
            return httpx.Response(200, text="done")
        if form["grant_type"] == ["refresh_token"]:
            self.refreshes += 1
            if self.refresh_refused:
                return httpx.Response(400, json={"error": "invalid_grant"})
            self.expires_in = 300
            return httpx.Response(200, json=self.tokens())
        nonce = self.nonces.pop(form["code"][0], None)
        if nonce is None:
            return httpx.Response(400, json={"error": "invalid_grant"})
        return httpx.Response(200, json=self.tokens(nonce))

    def profile_api(self, method: str, path: str, body: Any, _request: httpx.Request) -> httpx.Response:
        """profile."""
        if path == "/email-confirmations":
            if body["token"] == "old":
                return problem(410, "link_expired")
            self.profile |= {"space": "confirmed", "pending_email": None}
            return httpx.Response(200, json={"status": "confirmed"})
        if path == "/profile/email" and method == "PUT":
            if "@" not in body["email"]:
                return problem(422, "validation_failed", errors={"email": ["?"]})
            self.profile |= {"pending_email": body["email"]}
            if self.profile["space"] == "none":
                self.profile["space"] = "pending"
        elif path == "/profile/language":
            self.profile["language"] = body["language"]
        elif path.startswith("/profile/notices/"):
            self.profile["notices"][path.rpartition("/")[2]] = body
        return httpx.Response(200, json=self.profile)

    def notifier_api(self, *_arguments: Any) -> httpx.Response:
        """notifier."""
        row = {
            "id": "1",
            "template": "receipt",
            "state": "sent",
            "created_at": NOW,
            "sent_at": NOW,
            "reason": None,
        }
        return httpx.Response(200, json=[row])

    def documents_api(self, _method: str, path: str, body: Any, request: httpx.Request) -> httpx.Response:
        """documents."""
        if path == "/uploads":
            document_id = str(uuid.uuid4())
            self.uploads[document_id] = body
            if body["content_type"] not in ("application/pdf", "image/jpeg", "image/png"):
                return problem(422, "type_not_allowed")
            form = {"url": f"{self.public_url}/espace-documents", "fields": {"key": document_id}}
            return httpx.Response(201, json={"document_id": document_id, "form": form})
        if path.endswith("/completion"):
            document_id = path.split("/")[2]
            if self.uploads[document_id]["filename"].startswith("chiffre"):
                return problem(422, "pdf_encrypted")
            return httpx.Response(200, json={"document": {}, "statement": document_id})
        if path.endswith("/download"):
            return httpx.Response(
                200, json={"url": f"{self.public_url}/espace-documents/x", "expires_at": NOW}
            )
        return httpx.Response(200, json={"document_id": str(uuid.uuid4())})

    def dossier_api(self, method: str, path: str, body: Any, request: httpx.Request) -> httpx.Response:
        """dossier."""
        if path.startswith("/procedures"):
            if path != "/procedures":
                found = PROCEDURE if path.endswith(str(PROCEDURE["key"])) else None
                return httpx.Response(200, json=found) if found else problem(404, "not_found")
            words = request.url.params.get("q", "")
            return httpx.Response(200, json=[PROCEDURE] if "zzz" not in words else [])
        if path == "/dossiers" and method == "GET":
            items = [row(dossier) for dossier in self.dossiers.values()]
            return httpx.Response(200, json={"items": items, "total": len(items), "page": 1, "page_size": 20})
        if path == "/dossiers":
            return httpx.Response(201, json=self.add_dossier())
        dossier = self.dossiers.get(path.split("/")[2])
        if dossier is None:
            return problem(404, "not_found")
        return self.one_dossier(method, "/".join(path.split("/")[3:]), dossier, body, request)

    def one_dossier(
        self, method: str, rest: str, dossier: dict[str, Any], body: Any, request: httpx.Request
    ) -> httpx.Response:
        """What can be done with one dossier."""
        if rest == "values":
            if request.headers["If-Match"] != f'"{dossier["version"]}"':
                return problem(412, "version_mismatch")
            set_values(dossier, body["values"])
        elif rest == "validation":
            if dossier["errors"]:
                return problem(422, "validation_failed", errors=dossier["errors"])
            dossier |= {"state": "validated", "validated_at": NOW, "values_sha256": "a" * 64}
            dossier["content_sha256"] = "b" * 64
            dossier["actions"] = ["edit", "attach"]
        elif rest.startswith("attachments") and method == "POST":
            upload = self.uploads[body["statement"]]
            dossier["attachments"].append(piece(body["statement"], upload))
            dossier["missing_slots"] = []
            dossier["actions"] = ["edit", "attach", "submit"]
        elif rest.startswith("attachments"):
            gone = rest.rpartition("/")[2]
            dossier["attachments"] = [one for one in dossier["attachments"] if one["document_id"] != gone]
        elif rest == "submission":
            submit(dossier)
            return httpx.Response(201, json=receipt(dossier))
        elif rest == "receipt":
            return httpx.Response(200, json=receipt(dossier))
        elif rest == "withdrawal":
            dossier |= {"state": "withdrawn", "actions": []}
        elif rest.endswith("/answer"):
            wanted = dossier["information_requests"][0]
            wanted |= {"state": "answered", "answered_at": NOW, "actions": []}
            wanted["attachments"][0]["sent"] = True
            dossier["action_required"] = False
            return httpx.Response(201, json={"request_id": wanted["id"]})
        elif rest.startswith("information-requests") and method == "POST":
            upload = self.uploads[body["statement"]]
            wanted = dossier["information_requests"][0]
            wanted["attachments"].append(piece(body["statement"], upload) | {"sent": False})
            wanted["actions"] = ["attach", "answer"]
        if method != "GET":
            dossier["version"] += 1
        return httpx.Response(200, json=dossier)

    def add_dossier(self) -> dict[str, Any]:
        """A new draft."""
        dossier: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "version": 1,
            "number": None,
            "state": "draft",
            "procedure": {"key": PROCEDURE["key"], "version": 1, "title": PROCEDURE["title"]},
            "title": PROCEDURE["title"],
            "subtitle": "",
            "created_at": NOW,
            "saved_at": NOW,
            "validated_at": None,
            "received_at": None,
            "withdrawn_at": None,
            "steps": [
                {"key": key, "label": label, "state": "todo", "at": None, "substeps": []}
                for key, label in STEPS
            ],
            "values": {},
            "prefilled": {},
            "display": {},
            "errors": {"election": ["Choisissez l’élection que vous contestez."]},
            "form": {"sections": form_sections(), "statements": copy.deepcopy(STATEMENTS)},
            "values_sha256": None,
            "content_sha256": None,
            "slots": copy.deepcopy(SLOTS),
            "attachments": [],
            "missing_slots": ["reclamation"],
            "window": WINDOW,
            "information_requests": [],
            "action_required": False,
            "actions": ["edit", "validate"],
        }
        dossier["steps"][0]["state"] = "current"
        self.dossiers[dossier["id"]] = dossier
        return dossier


def set_values(dossier: dict[str, Any], values: dict[str, Any]) -> None:
    """Keep values; every required visible field that is empty is an error."""
    dossier["values"] |= values
    boxes = dossier["form"]["statements"]
    fields = [one for section in dossier["form"]["sections"] for one in section["fields"]]
    errors: dict[str, list[str]] = {}
    for one in [*fields, *boxes]:
        if one["key"] in dossier["values"]:
            one["value"] = dossier["values"][one["key"]]
    for one in [*fields, *boxes]:
        condition = one.get("visible_when")
        one["visible"] = not condition or dossier["values"].get(condition["field"]) == condition["equals"]
        if one["visible"] and one["required"] and not one["value"]:
            errors[one["key"]] = [f"Complétez « {one['label']} »."]
        for choice in one.get("choices", []):
            if choice["value"] == one["value"]:
                one["display"] = choice["label"]
    dossier["errors"] = errors


def submit(dossier: dict[str, Any]) -> None:
    """The deposit; with the DRC when it was asked for."""
    dossier |= {
        "state": "submitted",
        "number": "ME-2024-000123-7",
        "received_at": "2024-10-21T21:59:59.900000Z",
    }
    dossier["actions"] = ["withdraw"]
    for step, state in zip(dossier["steps"], ("done", "done", "current"), strict=True):
        step["state"] = state
    if dossier["values"].get("complete") == "drc":
        request_id = str(uuid.uuid4())
        sub = {"key": "information_request", "label": "DRC", "state": "current", "request_id": request_id}
        dossier["steps"][2]["substeps"] = [sub]
        dossier["action_required"] = True
        dossier["information_requests"] = [
            {
                "id": request_id,
                "element": "Pièces complémentaires à la réclamation",
                "origin": "citizen",
                "state": "open",
                "late": False,
                "late_reason": None,
                "due_date": "2024-10-25",
                "due_at": "2024-10-25T22:00:00Z",
                "reasons": WINDOW["reasons"],
                "past_due": False,
                "opened_at": NOW,
                "answered_at": None,
                "lapsed_at": None,
                "content_sha256": "c" * 64,
                "slot": {**SLOTS[1], "key": "complement", "title": "Pièces complémentaires"},
                "attachments": [],
                "actions": ["attach"],
            }
        ]


def row(dossier: dict[str, Any]) -> dict[str, Any]:
    """A dossier as the list shows it."""
    wanted = dossier["information_requests"]
    keys = (
        "id",
        "number",
        "title",
        "subtitle",
        "state",
        "action_required",
        "created_at",
        "saved_at",
        "received_at",
    )
    return {
        **{key: dossier[key] for key in keys},
        "procedure": dossier["procedure"]["key"],
        "step": {"key": "processing", "label": "En Traitement"},
        "substep": {"key": "information_request", "label": "DRC"} if wanted else None,
        "due_date": wanted[0]["due_date"] if wanted else None,
    }


def piece(document_id: str, upload: dict[str, Any]) -> dict[str, Any]:
    """An attachment."""
    return {
        "document_id": document_id,
        "slot": upload["slot"],
        "filename": upload["filename"],
        "size": upload["size"],
        "sha256": upload["sha256"],
        "content_type": upload["content_type"],
        "scan": "not_scanned",
        "added_at": NOW,
    }


def receipt(dossier: dict[str, Any]) -> dict[str, Any]:
    """The proof of deposit."""
    wanted = dossier["information_requests"]
    return {
        "dossier_id": dossier["id"],
        "number": dossier["number"],
        "title": dossier["title"],
        "subtitle": dossier["subtitle"],
        "received_at": dossier["received_at"],
        "values_sha256": dossier["values_sha256"],
        "documents": [{**one, "slot_title": "Réclamation datée et signée"} for one in dossier["attachments"]],
        "window": WINDOW,
        "information_request": wanted[0] if wanted else None,
    }


def problem(status: int, code: str, **more: Any) -> httpx.Response:
    """A problem+json."""
    body = {
        "type": f"urn:espace:problem:{code}",
        "status": status,
        "code": code,
        "detail": "Explication.",
        **more,
    }
    return httpx.Response(
        status, content=json.dumps(body), headers={"Content-Type": "application/problem+json"}
    )
