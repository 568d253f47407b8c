"""Fixtures: the frontend on a real database, with the services behind it played by a stand-in."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page

from web.tests.program import PUBLIC, build
from web.tests.site import Site


@pytest.fixture
def site(fresh_database: Callable[[str], str]) -> Iterator[tuple[Flask, Any]]:
    """The application and its stand-in services."""
    app, services = build(fresh_database("espace_web"), PUBLIC)
    yield app, services
    app.extensions["espace_web"].database.dispose()
    assert services.drift == []


@pytest.fixture
def app(site: tuple[Flask, Any]) -> Flask:
    """The application."""
    return site[0]


@pytest.fixture
def services(site: tuple[Flask, Any]) -> Any:
    """What stands behind it."""
    return site[1]


class Browser:
    """A test client that fills in forms as the page gave them."""

    def __init__(self, app: Flask, services: Any) -> None:
        self.client: FlaskClient = app.test_client()
        self.services = services

    def get(self, path: str, **more: Any) -> Any:
        """Open a page."""
        return self.client.get(path, base_url=PUBLIC, **more)

    def post(
        self, path: str, data: dict[str, Any] | None = None, page: str | None = None, **more: Any
    ) -> Any:
        """Send a form: its hidden fields as on ``page`` (by default the page of the same address)."""
        found = hidden(self.get(page or path).text)
        headers = {"Origin": PUBLIC, "Sec-Fetch-Site": "same-origin", **more.pop("headers", {})}
        return self.client.post(
            path, base_url=PUBLIC, data={**found, **(data or {})}, headers=headers, **more
        )

    def begin_login(self, path: str = "/connexion") -> dict[str, str]:
        """Go to the provider; returns what it was asked."""
        answer = self.get(path)
        assert answer.status_code == 303
        return {key: values[0] for key, values in parse_qs(urlsplit(answer.location).query).items()}

    def finish_login(self, asked: dict[str, str], **changes: str) -> Any:
        """Come back from the provider with a code."""
        code = f"code-{asked['state'][:8]}"
        self.services.nonces[code] = asked["nonce"]
        answer = {"code": code, "state": asked["state"], "iss": f"{PUBLIC}/identity", **changes}
        return self.get("/connexion/retour", query_string=answer)

    def log_in(self) -> None:
        """A whole login, to the open counter."""
        answer = self.finish_login(self.begin_login())
        assert answer.status_code == 303, answer.text
        self.post("/espace")

    def post_stale(self, page: Any, path: str, data: dict[str, Any]) -> Any:
        """Send the form of a page that was opened earlier."""
        headers = {"Origin": PUBLIC, "Sec-Fetch-Site": "same-origin"}
        return self.client.post(path, base_url=PUBLIC, data={**hidden(page.text), **data}, headers=headers)

    def token(self, path: str) -> str:
        """The form token that a page gives."""
        return hidden(self.get(path).text)["jeton"]

    @property
    def session_cookie(self) -> str | None:
        """The session's cookie."""
        cookie = self.client.get_cookie("__Host-mes")
        return cookie.value if cookie else None


def hidden(text: str) -> dict[str, str]:
    """The hidden fields of a page; of several forms the last."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text))


@pytest.fixture
def browser(app: Flask, services: Any) -> Browser:
    """Nobody yet."""
    return Browser(app, services)


@pytest.fixture
def another_browser(app: Flask, services: Any) -> Browser:
    """Someone else's browser."""
    return Browser(app, services)


@pytest.fixture
def citizen(browser: Browser, services: Any) -> Browser:
    """Signed in, everything read, before the open counter."""
    services.skip_welcome()
    browser.log_in()
    return browser


@pytest.fixture
def live(fresh_database: Callable[[str], str], tmp_path: Path) -> Iterator[Site]:
    """The application on a port."""
    site = Site(fresh_database("espace_web"), tmp_path)
    yield site
    site.close()


@pytest.fixture
def language() -> str:
    """The browser's first language."""
    return "fr"


@pytest.fixture
def page(chromium: Chromium, language: str) -> Iterator[Page]:
    """A page of a real browser, in which no script fails and no policy is broken."""
    context = chromium.new_context(locale=f"{language}-BE", viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    problems: list[str] = []
    opened.on("console", lambda message: problems.append(message.text) if _is_fault(message.text) else None)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    context.close()
    assert problems == []


@pytest.fixture
def plain_page(chromium: Chromium) -> Iterator[Page]:
    """A page of a browser without JavaScript."""
    context = chromium.new_context(java_script_enabled=False, locale="fr-BE")
    yield context.new_page()
    context.close()


def _is_fault(text: str) -> bool:
    return "Content Security Policy" in text or "Refused" in text
