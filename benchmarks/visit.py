"""One claim through the pages, each of them a step that can be timed."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

from benchmarks.browser import Browser
from benchmarks.claim import send
from benchmarks.ground import Ground
from tests.e2e.app import App, choose_means
from tests.e2e.claims import PROCEDURE
from tests.e2e.walker import Walker

SLOT = "reclamation"
TYPED = {
    "phone": "+32 470 12 34 56",
    "election": "communales",
    "electoral_list": "Liste 7",
    "completeness": "complete",
    "sworn_candidate": "1",
    "sworn_truth": "1",
    "action": "suite",
}
NUMBER = re.compile(r"ME-\d{4}-\d{6}-\d")
Step = tuple[str, Callable[[], object]]


def enter(at: Ground, app: App) -> Browser:
    """Log in at the pages, with a space that is there already, and come to the counter."""
    origin = at.stack.url("gateway")
    walker = Walker()
    walker.open(f"{origin}/connexion")
    choose_means(walker, "itsme", app.person.username)
    for page in ("/nouveautes", "/espace", "/protection-des-donnees"):
        walker.submit(to=page)
    if not walker.address.endswith("/accueil"):
        raise RuntimeError(f"the way in ends at {walker.address}")
    cookies = {c.name: c.value or "" for c in walker.http.cookies.jar if c.name.startswith("__Host-")}
    walker.http.close()
    return Browser(origin, cookies)


class Visit:
    """Of one citizen, with the file she will upload."""

    def __init__(self, browser: Browser, file: bytes) -> None:
        self._browser, self._file = browser, file
        self._path = ""
        self.number = ""

    def looking(self) -> Iterator[Step]:
        """The counter's pages, before anything is filled in."""
        yield "home", lambda: self._browser.get("/accueil")
        yield "list of dossiers", lambda: self._browser.get("/dossiers")
        yield "catalogue, a search", lambda: self._browser.get(f"/demarches?q={quote('réclamation')}")

    def filing(self) -> Iterator[Step]:
        """From the procedure to the receipt; a step of a form goes to the page that follows it."""
        yield "procedure", lambda: self._browser.get(f"/demarches/{PROCEDURE}")
        yield "form, opened", self._open
        yield "summary", self._fill
        yield "pieces, validated", self._validate
        yield "declaration (PDF)", lambda: self._browser.get(f"{self._path}/declaration")
        yield "a slot's page", lambda: self._browser.get(f"{self._path}/pieces/{SLOT}")
        yield "upload and pieces", self._upload
        yield "check", lambda: self._browser.get(f"{self._path}/verification")
        yield "receipt", self._submit

    def _open(self) -> None:
        path = f"/demarches/{PROCEDURE}"
        page = self._browser.post(path, self._browser.fields(path))
        start = page.body.index(b'action="/dossiers/') + len(b'action="')
        self._path = page.body[start : page.body.index(b"/formulaire", start)].decode()

    def _fill(self) -> None:
        path = f"{self._path}/formulaire"
        self._browser.post(path, {**self._browser.fields(path), **TYPED})

    def _validate(self) -> None:
        path = f"{self._path}/formulaire/resume"
        self._browser.post(path, self._browser.fields(path))

    def _upload(self) -> None:
        """As the page's script does it."""
        path = f"{self._path}/pieces/{SLOT}"
        form = self._browser.fields(path)
        told = {
            "nom": "réclamation.pdf",
            "taille": str(len(self._file)),
            "type": "application/pdf",
            "sha256": hashlib.sha256(self._file).hexdigest(),
        }
        prepared = json.loads(self._browser.post(f"{path}/preparation", {**form, **told}).body)
        send(self._browser.client, prepared["form"], self._file)
        self._browser.post(f"{path}/fin", {**form, "document": prepared["document_id"]})
        self._browser.get(f"{self._path}/pieces")

    def _submit(self) -> None:
        path = f"{self._path}/verification"
        page = self._browser.post(path, self._browser.fields(path)).body.decode()
        found = NUMBER.search(page)
        if found is None:
            raise RuntimeError("the last page is no receipt")
        self.number = found.group()
