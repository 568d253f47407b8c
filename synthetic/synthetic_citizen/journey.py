"""One journey: the pages, the login, a dossier from opening to receipt, and its withdrawal."""

import base64
import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx

from espace.auth import SYNTHETIC_CLIENT
from espace.telemetry.metrics import SYNTHETIC_STEP
from espace.worker import Stop
from synthetic_citizen.browser import Browser, Lost
from synthetic_citizen.settings import Settings

VALUES = {
    "subject": "Contrôle de bout en bout",
    "question": "Ce message est déposé par la plate-forme elle-même.",
}
TOLD = frozenset({"sent", "not_sent"})
"""How a message ends that is decided. Without a confirmed address it is ``not_sent``: no mail leaves."""


class Failed(Exception):
    """The journey ended at ``step``."""

    def __init__(self, step: str, reason: str) -> None:
        super().__init__(f"{step}: {reason}")
        self.step, self.reason = step, reason


class Journey:
    """One citizen with one browser and one token; ``stop`` ends the wait for the receipt."""

    def __init__(self, settings: Settings, http: httpx.Client, stop: Stop) -> None:
        self._settings, self._stop = settings, stop
        self._browser = Browser(http, settings.inside)
        self._gateway = settings.gateway_url or settings.public_url
        self._http = http
        self._token = ""

    def run(self) -> None:
        """Go the whole way.

        Raises:
            Failed: names the step that did not succeed.
        """
        with _step("pages"):
            _expect(self._browser.send("GET", f"{self._settings.public_url}/"), 200)
        with _step("login"):
            self._log_in()
        with _step("open"):
            dossier = self._call(
                "POST", "dossier/v1/dossiers", {"procedure": self._settings.procedure}, status=201
            )
        path = f"dossier/v1/dossiers/{dossier['id']}"
        with _step("values"):
            self._call("PATCH", f"{path}/values", {"values": VALUES}, match=dossier["version"])
        with _step("validation"):
            dossier = self._call("POST", f"{path}/validation", {})
        with _step("submission"):
            seen = {"content_sha256": dossier["content_sha256"]}
            self._call("POST", f"{path}/submission", seen, status=201)
        with _step("receipt"):
            self._await_receipt(dossier["id"])
        with _step("withdrawal"):
            self._call("POST", f"{path}/withdrawal", {})

    def _log_in(self) -> None:
        """Authorization code with PKCE, by the pages of the provider and of the login source."""
        public, verifier, state = (
            self._settings.public_url,
            secrets.token_urlsafe(48),
            secrets.token_urlsafe(16),
        )
        callback = f"{public}/identity/synthetic/callback"
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": SYNTHETIC_CLIENT,
            "redirect_uri": callback,
            "scope": "openid",
            "state": state,
            "nonce": secrets.token_urlsafe(16),
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        start = f"{public}/identity/authorize?{urlencode(asked)}"
        answer = parse_qs(urlsplit(self._browser.walk(start, self._settings.answers, to=callback)).query)
        if answer.get("state") != [state] or "code" not in answer:
            raise Lost(f"the answer to the login is {answer.get('error', 'not ours')}")
        tokens = self._http.post(
            f"{self._gateway}/identity/token",
            data={
                "grant_type": "authorization_code",
                "code": answer["code"][0],
                "redirect_uri": callback,
                "code_verifier": verifier,
            },
            auth=(SYNTHETIC_CLIENT, self._settings.client_secret),
            headers=self._host,
        )
        self._token = _expect(tokens, 200).json()["access_token"]

    def _await_receipt(self, dossier_id: str) -> None:
        """The deposit's event has gone through outbox, broker and consumer, and its message was decided."""
        give_up = time.monotonic() + self._settings.patience_seconds
        while True:
            found = self._call("GET", f"notifier/v1/notifications?dossier_id={dossier_id}")
            states = [message["state"] for message in found if message["template"] == "receipt"]
            if TOLD.intersection(states):
                return
            if time.monotonic() > give_up or self._stop.wait(0.5):
                raise Lost(f"the receipt's message is {states[0] if states else 'not known'}")

    def _call(
        self, method: str, path: str, body: Any = None, *, status: int = 200, match: int | None = None
    ) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", **self._host}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        if match is not None:
            headers["If-Match"] = f'"{match}"'
        answer = self._http.request(method, f"{self._gateway}/api/{path}", json=body, headers=headers)
        return _expect(answer, status).json()

    @property
    def _host(self) -> dict[str, str]:
        return {"Host": urlsplit(self._settings.public_url).netloc}


def _expect(answer: httpx.Response, status: int) -> httpx.Response:
    if answer.status_code != status:
        raise Lost(f"{answer.status_code} where {status} was due")
    return answer


@contextmanager
def _step(name: str) -> Iterator[None]:
    """Measure a step, and name it when it fails."""
    started = time.monotonic()
    try:
        yield
    except (Lost, httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise Failed(name, f"{type(error).__name__}: {error}") from error
    SYNTHETIC_STEP.labels(name).observe(time.monotonic() - started)
