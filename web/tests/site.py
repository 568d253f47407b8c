"""The frontend on a port for a real browser, and what every page must be there."""

import os
import socket
import threading
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server

from web.tests.program import build

PICTURES = Path(os.environ.get("ESPACE_SCREENSHOTS", "test-results/screens"))
LANGUAGES = pytest.mark.parametrize(
    "language", ["fr", *(pytest.param(other, marks=pytest.mark.long) for other in ("nl", "de", "en"))]
)
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PDF = b"%PDF-1.7 a signed claim"
START = "2024-10-15T07:00:00+00:00"


class Site:
    """The frontend, with a provider that says yes and a store that takes all.

    Args:
        url: its public address, when something stands before it.
    """

    def __init__(self, database_url: str, folder: Path, url: str | None = None) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.inside = f"http://localhost:{port}"
        self.url = url or self.inside
        self._clock = folder / "clock.json"
        self.freeze(START)
        self.app, self.services = build(database_url, self.url, self._clock)
        outside: dict[str, Any] = {"/identity": self.provider, "/espace-documents": self.store}
        self.server = make_server("localhost", port, DispatcherMiddleware(self.app, outside), threaded=True)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def freeze(self, instant: str) -> None:
        """Let legal time stand still."""
        self._clock.write_text(f'{{"offset_seconds": 0, "frozen_at": "{instant}"}}')

    def provider(self, environ: Any, start: Any) -> list[bytes]:
        asked = parse_qs(environ["QUERY_STRING"])
        if environ["PATH_INFO"] == "/logout":
            start("303 See Other", [("Location", asked["post_logout_redirect_uri"][0])])
            return []
        code = asked["state"][0][:12]
        self.services.nonces[code] = asked["nonce"][0]
        answer = {"code": code, "state": asked["state"][0], "iss": f"{self.url}/identity"}
        start("303 See Other", [("Location", f"{asked['redirect_uri'][0]}?{urlencode(answer)}")])
        return []

    def store(self, environ: Any, start: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.services.stored["last"] = body
        start("204 No Content", [])
        return []

    def enter(self, page: Page, path: str) -> None:
        """Log in, to a page of the counter."""
        self.services.skip_welcome()
        page.goto(f"{self.url}/connexion?{urlencode({'retour': path})}")
        page.locator("button[name=espace]").click()
        page.wait_for_url(f"**{path}")

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.app.extensions["espace_web"].database.dispose()
        assert self.services.drift == []


def look(page: Page, name: str, *, wide: int = 1280) -> None:
    """Keep a picture, which waits for the page, then hold it against what every page must be."""
    page.set_viewport_size({"width": wide, "height": 800 if wide > 400 else 568})
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}-{wide}.png", full_page=True)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= wide, f"{name}: {width} px wide at {wide}"
    if wide > 400:
        assert page.locator("h1").count() == 1, name
        found = Axe().run(page, options={"runOnly": TAGS, "resultTypes": ["violations"]})
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"


def screen(page: Page, name: str) -> None:
    """Look at a page at both widths."""
    look(page, name)
    look(page, name, wide=320)
    page.set_viewport_size({"width": 1280, "height": 800})
