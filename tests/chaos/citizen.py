"""One citizen of the experiment: the claim over HTTP, each call in the history, repeated until it is known.

A call is repeated with the same key until it is answered, as the pages and the application do. What is
written into the history is what the citizen may rely on, and nothing else.
"""

import contextlib
import hashlib
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import httpx

from espace_stack.testing.platform import Platform
from login_simulator.citizens import Citizen
from tests.chaos.history import History, Outcome
from tests.e2e.app import App, send
from tests.e2e.claims import COMPLETE, PROCEDURE, WITH_DRC
from tests.e2e.mails import LINK
from tests.e2e.pdfs import padded_claim

AGAIN: Final = frozenset({401, 408, 409, 412, 425, 429})
"""Refusals of the moment; the first is answered by a new login, the others by a new look or by patience."""
PAUSE_SECONDS = 0.25
CALL_SECONDS = 15.0
PATIENCE_SECONDS = 240.0
"""How long a citizen repeats a call before she gives up; longer than any fault."""


class GaveUp(Exception):
    """Nothing came of it, for as long as anybody waits; the message says of what."""


@dataclass
class Claim:
    """What a citizen has done, as she was told."""

    person: Citizen
    dossier_id: str = ""
    number: str = ""
    request_id: str = ""
    answered: bool = False


class Journey:
    """From the login to the receipt; half ask for further days, half of those answer.

    Args:
        choices: tells how many files, their sizes, and whether there is a request and an answer.
        broken_off: set when nobody is to wait any longer.
    """

    def __init__(
        self,
        platform: Platform,
        person: Citizen,
        history: History,
        choices: random.Random,
        broken_off: threading.Event,
    ) -> None:
        self._platform, self._history = platform, history
        self._name = person.username
        self._app = App(platform.public_url, person)
        self._app.http.timeout = httpx.Timeout(CALL_SECONDS)
        self._gives_up = time.monotonic() + PATIENCE_SECONDS
        self._asks = choices.random() < 0.5
        self._answers = choices.random() < 0.5
        self._sizes = [choices.randint(20_000, 300_000) for _ in range(choices.randint(1, 3))]
        self._broken_off = broken_off
        self.claim = Claim(person)

    def run(self) -> Claim:
        """The whole journey.

        Raises:
            GaveUp: the platform did not answer for too long, or refused what it must not refuse.
        """
        try:
            self._enter()
            self._draft()
            first, *others = self._sizes
            self._attach("reclamation", first)
            for size in others:
                self._attach("autres", size)
            self._submit()
            if self._asks and self._answers:
                self._answer()
            self._read()
        finally:
            self._app.http.close()
        return self.claim

    # ---- steps

    def _enter(self) -> None:
        """Log in and confirm the private space by the link in the mail; a login is no promise to keep."""
        self._patiently("the login", lambda: self._app.login())
        self._patiently("the space", self._space)

    def _space(self) -> bool:
        asked = self._app.call("PUT", "profile/v1/profile/email", {"email": self._app.email})
        if asked.status_code != 200:
            return False
        token = self._patiently("the mail with the link", self._token)
        confirmed = self._app.call("POST", "profile/v1/email-confirmations", {"token": token})
        return confirmed.status_code == 200

    def _token(self) -> str | None:
        messages = self._platform.mail.messages(to=self._app.email)
        found = [match for m in messages if (match := LINK.search(m.text or ""))]
        return found[-1][1] if found else None

    def _draft(self) -> None:
        values = WITH_DRC if self._asks else COMPLETE
        made = self._do("draft", "", "POST", "dossier/v1/dossiers", {"procedure": PROCEDURE})
        self.claim.dossier_id = made["id"]
        self._do("values", made["id"], "PATCH", f"{self._path}/values", {"values": values}, at_version=True)
        self._do("validate", made["id"], "POST", f"{self._path}/validation", {})

    def _attach(self, slot: str, size: int) -> None:
        statement = self._upload(slot, size)
        self._do(
            "attach",
            self.claim.dossier_id,
            "POST",
            f"{self._path}/attachments",
            {"slot": slot, "statement": statement},
        )

    def _submit(self) -> None:
        dossier = self._read()
        body = {"content_sha256": dossier["content_sha256"]}
        path = f"{self._path}/submission"
        receipt = self._do("submit", self.claim.dossier_id, "POST", path, body, told=lambda r: r["number"])
        self.claim.number = receipt["number"]
        dossier = self._read()
        if self._asks:
            self.claim.request_id = dossier["information_requests"][0]["id"]

    def _answer(self) -> None:
        path = f"{self._path}/information-requests/{self.claim.request_id}"
        statement = self._upload("complement", self._sizes[0])
        self._do("attach", self.claim.dossier_id, "POST", f"{path}/attachments", {"statement": statement})
        content = self._read()["information_requests"][0]["content_sha256"]
        self._do("answer", self.claim.request_id, "POST", f"{path}/answer", {"content_sha256": content})
        self.claim.answered = True

    def _upload(self, slot: str, size: int) -> str:
        """Announce, send, complete; what was sent is promised from the completion on."""
        file = padded_claim(size)
        digest = hashlib.sha256(file).hexdigest()

        def sent() -> str | None:
            registered = self._app.register(self.claim.dossier_id, slot, file, "pièce.pdf")
            if registered.status_code != 201:
                return None
            document = registered.json()["document_id"]
            number = self._history.invoke(self._name, "send", document, digest)
            outcome: Outcome = "info"
            with contextlib.suppress(httpx.HTTPError):
                outcome = outcome_of(send(registered.json()["form"], file, seconds=CALL_SECONDS))
            self._history.end(number, self._name, outcome, "send", document)
            return str(document) if outcome == "ok" else None

        document = self._patiently("the upload", sent)
        path = f"documents/v1/documents/{document}/completion"
        completed = self._do("upload", document, "POST", path, {}, told=lambda _: digest)
        return str(completed["statement"])

    def _read(self) -> Any:
        return self._do("read", self.claim.dossier_id, "GET", self._path, told=lambda d: d["state"])

    # ---- calls

    @property
    def _path(self) -> str:
        return f"dossier/v1/dossiers/{self.claim.dossier_id}"

    def _do(
        self,
        f: str,
        key: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        told: Callable[[Any], Any] = lambda _: None,
        at_version: bool = False,
    ) -> Any:
        """Call until it is known what became of it: the JSON of the success.

        Raises:
            GaveUp: refused, or never known.
        """
        once = str(uuid4())
        while True:
            match = self._version() if at_version else None
            number = self._history.invoke(self._name, f, key)
            answer: httpx.Response | None = None
            outcome: Outcome = "info"
            with contextlib.suppress(httpx.HTTPError):
                answer = self._app.call(method, path, body, key=once, match=match)
                outcome = outcome_of(answer)
            found = answer.json() if answer is not None and outcome == "ok" else None
            self._history.end(number, self._name, outcome, f, key, told(found) if outcome == "ok" else None)
            if outcome == "ok":
                return found
            if outcome == "fail" and answer is not None and answer.status_code not in AGAIN:
                raise GaveUp(f"{self._name}: {f} was refused: {answer.status_code} {answer.text[:300]}")
            self._wait(f, answer)

    def _version(self) -> int:
        return int(self._patiently("the version", self._look)["version"])

    def _look(self) -> Any:
        found = self._app.call("GET", self._path)
        return found.json() if found.status_code == 200 else None

    def _wait(self, f: str, answer: httpx.Response | None) -> None:
        if time.monotonic() > self._gives_up:
            raise GaveUp(f"{self._name}: {f}: {answer.text[:300] if answer is not None else 'no answer'}")
        self._pause()
        if answer is not None and answer.status_code == 401:
            self._patiently("the login", lambda: self._app.login())

    def _patiently(self, what: str, action: Callable[[], Any]) -> Any:
        """Repeat what promises nothing until something comes of it.

        Raises:
            GaveUp: nothing did.
        """
        reason = "nothing"
        while time.monotonic() < self._gives_up:
            try:
                found = action()
            except (httpx.HTTPError, AssertionError, LookupError, ValueError) as error:
                found, reason = None, f"{type(error).__name__}: {str(error)[:300]}"
            if found:
                return found
            self._pause()
        raise GaveUp(f"{self._name}: {what} never came: {reason}")

    def _pause(self) -> None:
        if self._broken_off.wait(PAUSE_SECONDS):
            raise GaveUp(f"{self._name}: the experiment was broken off")


def outcome_of(answer: httpx.Response) -> Outcome:
    """What an answer proves: a 4xx that nothing was written, a 5xx nothing at all.

    That a request with this key is being worked on says that an earlier one may succeed. A refusal that is no
    problem+json is not a program's: a gateway that has just started knows no route yet.
    """
    if answer.status_code < 400:
        return "ok"
    ours = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    if answer.status_code >= 500 or answer.status_code == 409 or not ours:
        return "info"
    return "fail"
