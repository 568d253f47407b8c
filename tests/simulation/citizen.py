"""A citizen with a claim, over the API: who was not answered asks again, with the same key."""

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from documents_service.model.document import Document
from dossier_service.claims.commands.drafting import open_dossier
from dossier_service.pieces import FileFacts
from espace.auth import Principal
from espace.clock import utcnow
from tests.chaos.history import Operation
from tests.simulation.house import House

PROCEDURE = "reclamation-electorale"
IDENTITY = {
    "given_name": "Lucie",
    "family_name": "Lambert",
    "email": "lucie@example.be",
    "address": {"street": "Rue de Fer", "number": "12", "postal_code": "5000", "locality": "Namur"},
    "commune_ins": "92094",
}


@dataclass
class Intent:
    """Something a citizen wants, until there is an answer to it."""

    f: str
    path: str
    body: dict[str, Any]
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    began: float = 0


class Citizen:
    """One citizen, one dossier, from its validated draft on.

    ``history`` holds what she did and learned; its instants are steps of the story.
    """

    def __init__(self, house: House, *, asks: bool) -> None:
        self._house = house
        self.id = uuid.uuid4()
        self._token = house.issuer.citizen(self.id)
        self.asks = asks
        self.history: list[Operation] = []
        self.pending: Intent | None = None
        self._draft()

    def act(self, step: int, *, withdraws: bool = False, waits: bool = False) -> str:
        """Ask again, or do what comes next; what was answered. Empty when there is nothing to do.

        Args:
            withdraws: that is what comes next, once there is a deposit.
            waits: her answer to a request is for later.
        """
        if self.pending is None:
            self.pending = self._next(withdraws, waits)
        if self.pending is None:
            return ""
        intent = self.pending
        intent.began = intent.began or step
        response = self._post(intent)
        answer = response.get_json() or {}
        told = f"{intent.f} {self.dossier_id} {response.status_code} {answer.get('code', '')}".strip()
        if response.status_code >= 500:
            self._note(intent, "info", None, step)
            return told
        self.pending = None
        if response.status_code >= 400:
            self._note(intent, "fail", answer.get("code"), step)
        else:
            self._learn(intent, answer, step)
        return told

    def read(self, step: int) -> str:
        """Look at the dossier's page."""
        with self._house.api.test_client() as client:
            response = client.get(
                f"/api/dossier/v1/dossiers/{self.dossier_id}",
                headers={"Authorization": f"Bearer {self._token}"},
            )
        state = str(response.get_json()["state"])
        self.history.append(Operation(str(self.id), "read", str(self.dossier_id), "ok", state, step, step))
        return f"read {self.dossier_id} {state}"

    def learned(self, f: str) -> Any:
        """The answer to what was done, or None."""
        return next((one.value for one in self.history if one.f == f and one.outcome == "ok"), None)

    def _next(self, withdraws: bool, waits: bool) -> Intent | None:
        path = f"/dossiers/{self.dossier_id}"
        done = {one.f for one in self.history if one.outcome in ("ok", "fail")}
        if "submit" not in done:
            return Intent("submit", f"{path}/submission", {"content_sha256": self._content})
        if self.learned("submit") is None or "withdraw" in done:
            return None
        if withdraws:
            return Intent("withdraw", f"{path}/withdrawal", {})
        if not self.asks or waits or "answer" in done:
            return None
        path = f"{path}/information-requests/{self.request_id}"
        piece = self.learned("add")
        if piece is None:
            return Intent("add", f"{path}/attachments", {"statement": self._statement()})
        return Intent("answer", f"{path}/answer", {"content_sha256": piece})

    @property
    def request_id(self) -> str:
        """The request for information she asked for with her deposit."""
        query = "select id::text from information_requests where dossier_id = :dossier"
        ((found,),) = self._house.rows("dossier", query, dossier=self.dossier_id)
        return str(found)

    def _learn(self, intent: Intent, answer: dict[str, Any], step: int) -> None:
        value: Any = answer.get("number")
        if intent.f == "add":
            value = answer["information_requests"][0]["content_sha256"]
        elif intent.f == "answer":
            value = "late" if answer["late"] else "in time"
        self._note(intent, "ok", value, step)

    def _note(self, intent: Intent, outcome: Any, value: Any, step: int) -> None:
        key, began = str(self.dossier_id), intent.began
        self.history.append(Operation(str(self.id), intent.f, key, outcome, value, began, step))

    def _post(self, intent: Intent) -> Any:
        with self._house.api.test_client() as client:
            return client.post(
                f"/api/dossier/v1{intent.path}",
                json=intent.body,
                headers={"Authorization": f"Bearer {self._token}", "Idempotency-Key": intent.key},
            )

    def _draft(self) -> None:
        """A validated draft with its file, which is the beginning of the story."""
        house = self._house
        practice, now = house.dossier_desk.newest(PROCEDURE), house.clock.instant
        answers = {
            "election": "communales",
            "electoral_list": "Liste 7",
            "completeness": "drc" if self.asks else "complete",
            "missing_pieces": "Le procès-verbal du bureau 12" if self.asks else None,
            "sworn_candidate": True,
            "sworn_truth": True,
        }
        with house.databases["dossier"].transaction() as unit:
            principal = Principal(citizen_id=self.id, client_id="web", level=450)
            dossier = open_dossier(unit, practice, principal, IDENTITY, now)
            self.dossier_id = dossier.id
            dossier.type_in(practice, answers, now)
            dossier.validate(practice, now)
            document = self._document("reclamation")
            facts = FileFacts(
                document_id=document.id,
                dossier_id=dossier.id,
                owner_id=self.id,
                slot=document.slot,
                filename=document.filename,
                size=document.size,
                sha256=document.sha256,
                content_type="application/pdf",
            )
            dossier.attach(practice, facts, now)
            self._content = dossier.content_sha256()

    def _document(self, slot: str) -> Document:
        """A file that documents has verified and not scanned yet."""
        identity, now = uuid.uuid4(), utcnow()
        document = Document(
            id=identity,
            owner_id=self.id,
            dossier_id=self.dossier_id,
            slot=slot,
            filename=f"{slot}.pdf",
            size=48213,
            sha256=identity.hex * 2,
            declared_type="application/pdf",
            created_at=now,
            expires_at=now + timedelta(minutes=30),
        )
        document.verify(content_type="application/pdf", etag="", statement="", at=now, scanner=True)
        with self._house.databases["documents"].transaction() as unit:
            unit.session.add(document)
            unit.session.flush()
            unit.session.expunge(document)
        return document

    def _statement(self) -> str:
        document = self._document("complement")
        return self._house.signer.statement(document, content_type="application/pdf", at=utcnow())
