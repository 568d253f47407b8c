"""A stand-in for the services behind web, in memory; held against what they say of themselves."""

import json
import uuid
from typing import Any
from urllib.parse import parse_qs

import httpx

from espace.clock import utcnow
from espace.testing import LEVEL_450, Issuer
from web.tests.fakes import contracts
from web.tests.fakes.claim import CITIZEN, NOW
from web.tests.fakes.dossiers import Dossiers
from web.tests.fakes.problems import problem

NOTICE = {"id": str(uuid.UUID(int=1)), "dossier_id": str(uuid.UUID(int=2)), "created_at": NOW}
PERSON = {
    "sub": CITIZEN,
    "given_name": "Lucie",
    "family_name": "Delvaux",
    "email": "lucie.delvaux@exemple.be",
    "national_number": "85073003328",
}


class Services:
    """Every service in one; a handler for :class:`httpx.MockTransport`."""

    def __init__(self, public_url: str) -> None:
        self.public_url = public_url
        self.issuer = Issuer(f"{public_url}/identity")
        self.down: set[str] = set()
        self.calls: list[tuple[str, str, str | None]] = []
        self.request_ids: set[str | None] = set()
        self.drift: list[str] = []
        self.expires_in = 300
        self.refreshes = 0
        self.refresh_refused = False
        self.ended: list[str] = []
        self.id_claims: dict[str, Any] = {}
        self.id_token: str | None = None
        self.nonces: dict[str, str] = {}
        self.exchanges: list[dict[str, list[str]]] = []
        self.profile: dict[str, Any] = {
            "citizen_id": CITIZEN,
            "language": "fr",
            "private_email": "lucie@exemple.be",
            "pending_email": None,
            "space": "confirmed",
            "confirmation_expires_at": "2024-10-16T07:00:00Z",
            "notices": {},
        }
        self.uploads: dict[str, dict[str, Any]] = {}
        self.stored: dict[str, bytes] = {}
        self.notices = [{**NOTICE, "template": "receipt", "state": "sent", "sent_at": NOW, "reason": None}]
        self.too_many_messages = False
        self.in_progress = 0
        self.claims = Dossiers(self.uploads)
        self.dossiers = self.claims.all
        self.add_dossier = self.claims.add

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
        if path == "/espace-documents":
            self.stored["last"] = request.read()
            return httpx.Response(204)
        self.request_ids.add(request.headers.get("X-Request-Id"))
        if path.startswith("/identity/"):
            return self.identity(request, path.removeprefix("/identity/"))
        if path.endswith("/openapi.json"):
            return httpx.Response(200, json=contracts.kept(service))
        if self.in_progress > 0 and request.method == "POST":
            self.in_progress -= 1
            return problem(409, "request_in_progress")
        body = json.loads(request.content) if request.content else {}
        handle = getattr(self, f"{service}_api")
        answer: httpx.Response = handle(request.method, path.split("/v1", 1)[1], body, request)
        try:
            contracts.check(service, request, answer)
        except AssertionError as error:
            self.drift.append(str(error))
            raise
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
        known = {name: value for name, value in claims.items() if value is not None}
        return {
            "access_token": f"access-{uuid.uuid4()}",
            "refresh_token": f"refresh-{uuid.uuid4()}",
            "id_token": self.id_token or self.issuer.sign(known, header={"typ": "JWT"}),
            "expires_in": self.expires_in,
        }

    def identity(self, request: httpx.Request, what: str) -> httpx.Response:
        """The provider's direct endpoints."""
        if what == "userinfo":
            return httpx.Response(200, json=PERSON)
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
        self.exchanges.append(form)
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
        elif path == "/profile/email/resend" and self.too_many_messages:
            return problem(429, "too_many_messages", retry_after=60)
        elif path == "/profile/email/resend" and not self.profile["pending_email"]:
            return problem(409, "nothing_to_confirm", "Give a private address first.")
        elif path == "/profile/language":
            self.profile["language"] = body["language"]
        elif path.startswith("/profile/notices/"):
            self.profile["notices"][path.rpartition("/")[2]] = body
        return httpx.Response(200, json=self.profile)

    def notifier_api(self, *_arguments: Any) -> httpx.Response:
        """notifier."""
        return httpx.Response(200, json=self.notices)

    def documents_api(self, _method: str, path: str, body: Any, request: httpx.Request) -> httpx.Response:
        """documents."""
        if path == "/uploads":
            document_id = str(uuid.uuid4())
            self.uploads[document_id] = body
            if body["content_type"] not in ("application/pdf", "image/jpeg", "image/png"):
                return problem(422, "type_not_allowed")
            form = {"url": f"{self.public_url}/espace-documents", "fields": {"key": document_id}}
            return httpx.Response(
                201,
                json={
                    "document_id": document_id,
                    "form": form,
                    "expires_at": NOW,
                },
            )
        if path.endswith("/completion"):
            document_id = path.split("/")[2]
            upload = self.uploads[document_id]
            if upload["filename"].startswith("chiffre"):
                return problem(422, "pdf_encrypted")
            document = {
                **{name: upload[name] for name in ("dossier_id", "slot", "filename", "size", "sha256")},
                "content_type": upload["content_type"],
                "id": document_id,
                "state": "verified",
                "refusal": None,
                "scan": "not_scanned",
                "created_at": NOW,
                "verified_at": NOW,
            }
            return httpx.Response(200, json={"document": document, "statement": document_id})
        if path.endswith("/download"):
            url = f"{self.public_url}/espace-documents/x"
            return httpx.Response(200, json={"url": url, "expires_at": NOW})
        headers = {"Content-Type": "application/pdf", "Content-Disposition": 'attachment; filename="d.pdf"'}
        return httpx.Response(200, content=b"%PDF-1.7 a paper", headers=headers)

    def dossier_api(self, method: str, path: str, body: Any, request: httpx.Request) -> httpx.Response:
        """dossier."""
        return self.claims.answer(method, path, body, request)
