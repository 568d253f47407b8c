"""A mobile application: a public OpenID client that takes the same APIs as the web pages do.

It logs in as a person would, through the pages of the identity provider and the login source, and
shares no code with the services: plain HTTP, plain JSON.
"""

import base64
import contextlib
import hashlib
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx

from espace.auth import tls
from login_simulator.citizens import Citizen
from tests.e2e.canaries import remember, remember_tokens
from tests.e2e.pdfs import signed_claim
from tests.e2e.walker import Walker

CLIENT = "demo-app"
CALLBACK = "http://127.0.0.1:8090/callback"
AWAY = (502, 503, 504)
"""What a client is told to repeat, with the same key."""


class App:
    """One citizen's application."""

    def __init__(self, public_url: str, person: Citizen) -> None:
        self.public_url = public_url
        self.person = person
        self.http = httpx.Client(base_url=public_url, timeout=60, verify=tls.context(public_url))
        self.tokens: dict[str, Any] = {}

    @property
    def email(self) -> str:
        """Where the citizen's messages go."""
        return self.person.email

    @property
    def citizen_id(self) -> str:
        """What the platform calls the citizen."""
        return str(self.claims()["sub"])

    def login(self, means: str = "itsme") -> "App":
        """Authorization code with PKCE, walked through the login pages."""
        verifier = secrets.token_urlsafe(48)
        state = secrets.token_urlsafe(16)
        walker = Walker(follow_to=lambda address: not address.startswith(CALLBACK))
        with contextlib.closing(walker.http):
            self._walk(walker, means, state=state, code_challenge=_s256(verifier))
        answer = parse_qs(urlsplit(walker.address).query)
        assert answer["state"] == [state], walker.address
        self._take(
            grant_type="authorization_code",
            code=answer["code"][0],
            redirect_uri=CALLBACK,
            code_verifier=verifier,
        )
        return self

    def _walk(self, walker: Walker, means: str, **asked: str) -> None:
        """From our address to the login source and back to the application."""
        walker.open(
            f"{self.public_url}/identity/authorize?"
            + urlencode(
                {
                    "response_type": "code",
                    "client_id": CLIENT,
                    "redirect_uri": CALLBACK,
                    "scope": "openid profile email",
                    "nonce": secrets.token_urlsafe(16),
                    "code_challenge_method": "S256",
                    **asked,
                }
            )
        )
        choose_means(walker, means, self.person.username)

    def refresh(self) -> None:
        """Exchange the refresh token for new ones."""
        self._take(grant_type="refresh_token", refresh_token=self.tokens["refresh_token"])

    def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, match: int | None = None
    ) -> httpx.Response:
        """Call ``/api/…`` as this citizen; POSTs get an idempotency key of their own unless one is given."""
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        if method == "POST":
            headers["Idempotency-Key"] = key or str(uuid4())
        if match is not None:
            headers["If-Match"] = f'"{match}"'
        return self.http.request(method, f"/api/{path}", json=body, headers=headers)

    def get(self, path: str) -> Any:
        """The JSON of a 200."""
        return expect(self.call("GET", path), 200)

    def dossier(self, dossier_id: str) -> Any:
        """The dossier as a page shows it."""
        return self.get(f"dossier/v1/dossiers/{dossier_id}")

    def draft(self, procedure: str, values: dict[str, Any]) -> Any:
        """A validated dossier with these values."""
        dossier = expect(self.call("POST", "dossier/v1/dossiers", {"procedure": procedure}), 201)
        path = f"dossier/v1/dossiers/{dossier['id']}"
        expect(self.call("PATCH", f"{path}/values", {"values": values}, match=dossier["version"]), 200)
        return expect(self.call("POST", f"{path}/validation", {}), 200)

    def register(self, dossier_id: str, slot: str, content: bytes, name: str) -> httpx.Response:
        """Announce a file; the answer holds the signed form."""
        asked = {
            "filename": name,
            "size": len(content),
            "content_type": "application/pdf",
            "sha256": hashlib.sha256(content).hexdigest(),
            "slot": slot,
            "dossier_id": dossier_id,
        }
        return self.call("POST", "documents/v1/uploads", asked)

    def upload(
        self, dossier_id: str, slot: str, content: bytes, name: str = "réclamation.pdf"
    ) -> httpx.Response:
        """Register, send the bytes by the signed form, complete; the answer of the step that refuses."""
        registered = self.register(dossier_id, slot, content, name)
        if registered.status_code != 201:
            return registered
        sent = send(registered.json()["form"], content, name)
        if sent.status_code not in (201, 204):
            return sent
        return self.call("POST", f"documents/v1/documents/{registered.json()['document_id']}/completion", {})

    def attach(self, dossier_id: str, slot: str = "reclamation", content: bytes | None = None) -> Any:
        """Upload a file and add it to the dossier; the dossier afterwards."""
        completed = expect(self.upload(dossier_id, slot, content or signed_claim()), 200)
        body = {"slot": slot, "statement": completed["statement"]}
        return expect(self.call("POST", f"dossier/v1/dossiers/{dossier_id}/attachments", body), 201)

    def submit(self, dossier: Any, key: str | None = None) -> httpx.Response:
        """Deposit the dossier as it was last read."""
        body = {"content_sha256": dossier["content_sha256"]}
        return self.call("POST", f"dossier/v1/dossiers/{dossier['id']}/submission", body, key=key)

    def _take(self, **fields: str) -> None:
        answer = self.http.post("/identity/token", data={"client_id": CLIENT, **fields})
        assert answer.status_code == 200, answer.text
        self.tokens = answer.json()
        remember_tokens(self.tokens)

    def claims(self) -> Any:
        """What the access token says, unverified."""
        payload = self.tokens["access_token"].split(".")[1]
        return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def send(form: Any, content: bytes, name: str = "réclamation.pdf", *, seconds: float = 60) -> httpx.Response:
    """Post a file by the signed form of its registration."""
    return httpx.post(
        form["url"],
        data=form["fields"],
        files={"file": (name, content)},
        timeout=seconds,
        verify=tls.context(form["url"]),
    )


def choose_means(walker: Walker, means: str, username: str) -> None:
    """From the login page through the login source's pages and back."""
    walker.submit(("means", means))
    chosen = {"username": username}
    if walker.document().xpath("//select[@name='country']"):
        chosen["country"] = "PT"
    walker.submit(("action", "confirm"), **chosen)
    shown = walker.document().xpath("//*[@id='shown-code']") if walker.page.text.strip() else []
    if shown:
        remember("code to log in", shown[0].text_content())
        walker.submit(("action", "confirm"), code=shown[0].text_content())


def expect(answer: httpx.Response, status: int) -> Any:
    """The JSON of an answer with the expected status; its text otherwise."""
    assert answer.status_code == status, (
        f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}"
    )
    return answer.json()


def _s256(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
