"""The dossier service, in memory: just enough of its documented answers."""

import copy
import uuid
from collections.abc import Mapping
from typing import Any

import httpx

from web.tests.fakes.claim import NOW, PROCEDURE, SLOTS, STATEMENTS, STEPS, WINDOW, form_sections
from web.tests.fakes.problems import problem

Dossier = dict[str, Any]
ROW = (
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
OF_RECEIPT = ("number", "procedure", "title", "subtitle", "received_at", "values_sha256", "withdrawn_at")


class Dossiers:
    """Drafts, deposits, requests for information. ``refusals``: what to refuse, by the end of an address."""

    def __init__(self, uploads: Mapping[str, dict[str, Any]]) -> None:
        self.all: dict[str, Dossier] = {}
        self.procedure = copy.deepcopy(PROCEDURE)
        self.refusals: dict[str, httpx.Response] = {}
        self._uploads = uploads

    def answer(self, method: str, path: str, body: Any, request: httpx.Request) -> httpx.Response:
        """Answer one call."""
        refused = [answer for end, answer in self.refusals.items() if method != "GET" and path.endswith(end)]
        if refused:
            return httpx.Response(
                refused[0].status_code, headers=refused[0].headers, content=refused[0].content
            )
        if path.startswith("/procedures"):
            return self._procedures(path, request.url.params.get("q", ""))
        if path == "/dossiers":
            return (
                httpx.Response(201, json=self.add()) if method == "POST" else self._list(request.url.params)
            )
        dossier = self.all.get(path.split("/")[2])
        if dossier is None:
            return problem(404, "not_found")
        return self._one(method, "/".join(path.split("/")[3:]), dossier, body, request)

    def add(self) -> Dossier:
        """A new draft."""
        dossier: Dossier = {
            "id": str(uuid.uuid4()),
            "version": 1,
            "number": None,
            "state": "draft",
            "procedure": {key: self.procedure[key] for key in ("key", "version", "title")},
            "title": self.procedure["title"],
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
            "slots": [{**slot, "can_add": True} for slot in copy.deepcopy(SLOTS)],
            "attachments": [],
            "missing_slots": ["reclamation"],
            "window": copy.deepcopy(WINDOW),
            "information_requests": [],
            "action_required": False,
            "actions": ["edit", "validate", "attach"],
        }
        dossier["steps"][0]["state"] = "current"
        self.all[dossier["id"]] = dossier
        return dossier

    def add_validated(self, **values: Any) -> Dossier:
        """A new one whose form is validated and whose piece is there."""
        dossier = self.add()
        dossier["values"] |= values
        validate(dossier)
        upload = {"slot": "reclamation", "filename": "réclamation.pdf", "size": 52_000, "sha256": "d" * 64}
        attach(dossier, str(uuid.uuid4()), upload | {"content_type": "application/pdf"})
        return dossier

    def add_deposited(self, **values: Any) -> Dossier:
        """A new one that is deposited; ``complete="drc"`` asks for more time."""
        dossier = self.add_validated(**values)
        submit(dossier)
        return dossier

    def _procedures(self, path: str, words: str) -> httpx.Response:
        if path != "/procedures":
            known = path.endswith(str(self.procedure["key"]))
            return httpx.Response(200, json=self.procedure) if known else problem(404, "unknown_procedure")
        keys = ("key", "version", "title", "summary", "state", "opens_on", "closes_on")
        row = {key: self.procedure[key] for key in keys}
        return httpx.Response(200, json=[row] if "zzz" not in words else [])

    def _list(self, params: Mapping[str, str]) -> httpx.Response:
        state, page, size = params.get("state"), int(params["page"]), int(params["page_size"])
        rows = [_row(one) for one in self.all.values() if state in (None, one["state"])]
        shown = rows[(page - 1) * size : page * size]
        return httpx.Response(200, json={"items": shown, "total": len(rows), "page": page, "page_size": size})

    def _one(
        self, method: str, rest: str, dossier: Dossier, body: Any, request: httpx.Request
    ) -> httpx.Response:
        status = 200
        if rest == "receipt":
            return httpx.Response(200, json=_receipt(dossier))
        if rest == "values":
            if request.headers["If-Match"] != f'"{dossier["version"]}"':
                return problem(412, "version_mismatch")
            set_values(dossier, body["values"])
        elif rest == "validation":
            if dossier["errors"]:
                return problem(422, "validation_failed", errors=dossier["errors"])
            validate(dossier)
        elif rest == "attachments":
            attach(dossier, body["statement"], self._uploads[body["statement"]])
            status = 201
        elif rest.startswith("attachments/"):
            gone = rest.rpartition("/")[2]
            dossier["attachments"] = [one for one in dossier["attachments"] if one["document_id"] != gone]
        elif rest == "submission":
            submit(dossier)
            dossier["version"] += 1
            return httpx.Response(201, json=_receipt(dossier))
        elif rest == "withdrawal":
            dossier |= {"state": "withdrawn", "withdrawn_at": NOW, "actions": []}
        elif rest.startswith("information-requests/"):
            wanted = dossier["information_requests"][0]
            if rest.endswith("/answer"):
                return httpx.Response(201, json=_answer(dossier, wanted))
            _add_piece(wanted, body["statement"], self._uploads[body["statement"]])
            status = 201
        if method != "GET":
            dossier["version"] += 1
        return httpx.Response(status, json=dossier)


def set_values(dossier: Dossier, values: dict[str, Any]) -> None:
    """Keep values; every required visible field that is empty is an error."""
    dossier["values"] |= values
    boxes = dossier["form"]["statements"]
    fields = [one for section in dossier["form"]["sections"] for one in section["fields"]]
    errors: dict[str, list[str]] = {}
    for one in fields:
        if one["key"] in dossier["values"]:
            one["value"] = dossier["values"][one["key"]]
    for box in boxes:
        box["value"] = bool(dossier["values"].get(box["key"]))
    for one in [*fields, *boxes]:
        condition = one.get("visible_when")
        visible = not condition or dossier["values"].get(condition["field"]) == condition["equals"]
        if one in fields:
            one["visible"] = visible
        if visible and one["required"] and not one["value"]:
            errors[one["key"]] = [f"Complétez « {one['label']} »."]
        for choice in one.get("choices", []):
            if choice["value"] == one["value"]:
                one["display"] = choice["label"]
    dossier["errors"] = errors


def validate(dossier: Dossier) -> None:
    """Freeze the values."""
    dossier |= {"state": "validated", "validated_at": NOW, "values_sha256": "a" * 64, "errors": {}}
    dossier |= {"content_sha256": "b" * 64, "actions": ["edit", "attach"]}


def attach(dossier: Dossier, document_id: str, upload: dict[str, Any]) -> None:
    """Add a piece."""
    dossier["attachments"].append(_piece(document_id, upload))
    for slot in dossier["slots"]:
        count = sum(piece["slot"] == slot["key"] for piece in dossier["attachments"])
        slot["can_add"] = count < slot["max_count"]
    dossier |= {"missing_slots": [], "actions": ["edit", "attach", "submit"]}


def submit(dossier: Dossier) -> None:
    """The deposit; with the DRC when it was asked for."""
    dossier |= {"state": "submitted", "number": "ME-2024-000123-7", "actions": ["withdraw"]}
    dossier["received_at"] = "2024-10-21T21:59:59.900000Z"
    for step, state in zip(dossier["steps"], ("done", "done", "current"), strict=True):
        step["state"] = state
    for slot in dossier["slots"]:
        slot["can_add"] = False
    if dossier["values"].get("complete") == "drc":
        request_id = str(uuid.uuid4())
        sub = {"key": "information_request", "label": "DRC", "state": "current", "request_id": request_id}
        dossier["steps"][2]["substeps"] = [sub]
        dossier["action_required"] = True
        dossier["information_requests"] = [_request(request_id)]


def _request(request_id: str) -> dict[str, Any]:
    return {
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
        "slot": {**SLOTS[1], "key": "complement", "title": "Pièces complémentaires", "can_add": True},
        "attachments": [],
        "actions": ["attach"],
    }


def _add_piece(wanted: dict[str, Any], document_id: str, upload: dict[str, Any]) -> None:
    wanted["attachments"].append(_piece(document_id, upload) | {"sent": False})
    wanted["actions"] = ["attach", "answer"]


def _answer(dossier: Dossier, wanted: dict[str, Any]) -> dict[str, Any]:
    wanted |= {"state": "answered", "answered_at": NOW, "actions": []}
    for piece in wanted["attachments"]:
        piece["sent"] = True
    dossier["action_required"] = False
    dossier["version"] += 1
    return {
        "request_id": wanted["id"],
        "dossier_id": dossier["id"],
        "number": dossier["number"],
        "received_at": NOW,
        "late": wanted["late"],
        "late_reason": wanted["late_reason"],
        "documents": [_document(piece) for piece in wanted["attachments"]],
    }


def _row(dossier: Dossier) -> dict[str, Any]:
    """A dossier as the list shows it."""
    waiting = dossier["information_requests"] if dossier["action_required"] else []
    return {
        **{key: dossier[key] for key in ROW},
        "procedure": dossier["procedure"]["key"],
        "step": {"key": "processing", "label": "En Traitement"},
        "substep": {"key": "information_request", "label": "DRC"} if waiting else None,
        "due_date": waiting[0]["due_date"] if waiting else None,
    }


def _piece(document_id: str, upload: dict[str, Any]) -> dict[str, Any]:
    return {
        "document_id": document_id,
        "slot": upload["slot"],
        "slot_title": "Réclamation datée et signée",
        "filename": upload["filename"],
        "size": upload["size"],
        "sha256": upload["sha256"],
        "content_type": upload["content_type"],
        "scan": "not_scanned",
        "added_at": NOW,
    }


def _document(piece: dict[str, Any]) -> dict[str, Any]:
    return {key: piece[key] for key in ("document_id", "slot", "slot_title", "filename", "size", "sha256")}


def _receipt(dossier: Dossier) -> dict[str, Any]:
    """The proof of deposit."""
    wanted = dossier["information_requests"]
    asked = ("id", "element", "due_date", "due_at", "reasons")
    return {
        **{key: dossier[key] for key in OF_RECEIPT},
        "dossier_id": dossier["id"],
        "language": "fr",
        "citizen": {"given_name": "Lucie", "family_name": "Delvaux"},
        "received_local": "lundi 21 octobre 2024 à 23 h 59 min 59 s",
        "received_date": "2024-10-21",
        "content_sha256": dossier["content_sha256"],
        "documents": [_document(piece) for piece in dossier["attachments"]],
        "window": dossier["window"],
        "information_request": {key: wanted[0][key] for key in asked} if wanted else None,
    }
