"""A real browser for tests: Debian's Chromium, driven by Playwright."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from espace_stack.testing.platform import Platform

CHROMIUM = Path("/usr/bin/chromium-headless-shell")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
]
PageFactory = Callable[..., Page]
_failed = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for the session, and the only one: Playwright cannot be started twice in a thread."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def browser(chromium: Browser) -> Browser:
    """The same, by the name that Playwright's own plugin gives it."""
    return chromium


@pytest.fixture
def page_factory(
    browser: Browser, platform: Platform, request: pytest.FixtureRequest
) -> Iterator[PageFactory]:
    """Make a page in a fresh context of its own (new cookies): ``page_factory(javascript=False, width=320)``.

    Other keywords go to Playwright's ``new_context``. A failed test leaves pictures in ``test-results``.
    """
    contexts: list[BrowserContext] = []

    def make(*, javascript: bool = True, width: int = 1280, height: int = 900, **options: Any) -> Page:
        context = browser.new_context(
            base_url=platform.public_url,
            java_script_enabled=javascript,
            viewport={"width": width, "height": height},
            locale=options.pop("locale", "fr-BE"),
            timezone_id="Europe/Brussels",
            **options,
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    yield make
    for number, context in enumerate(contexts):
        if request.node.stash.get(_failed, False):
            _take_pictures(context, f"{request.node.name}-{number}")
        context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Remember a failure until the browser's fixtures are torn down."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[_failed] = True
    return report


def _take_pictures(context: BrowserContext, name: str) -> None:
    folder = Path("test-results")
    folder.mkdir(exist_ok=True)
    for number, page in enumerate(context.pages):
        safe = re.sub(r"[^\w.-]+", "-", f"{name}-{number}")
        page.screenshot(path=folder / f"{safe}.png", full_page=True)
        (folder / f"{safe}.html").write_text(f"<!-- {page.url} -->\n{page.content()}", encoding="utf-8")
