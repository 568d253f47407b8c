"""What every page is held against, and that no token reached the browser."""

import hashlib
import json
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from espace_stack.testing.platform import Platform
from tests.e2e.visitor import Visitor

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
JWT = re.compile(r"eyJ[\w-]+\.[\w-]*")
"""A signed form's policy begins like this too, being JSON in base64; it has no full stop."""
SECRET = re.compile(r"[\w-]{30,}")


def fits(page: Page) -> None:
    """The page is no wider than its window."""
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1], (page.url, widths)


def accessible(page: Page) -> None:
    """The page fits and breaks no rule of axe."""
    fits(page)
    found = Axe().run(page, options={"runOnly": RULES})
    assert found.violations_count == 0, f"{page.url}: {found.generate_report()}"


def has_no_token(visitor: Visitor, recording: Path) -> None:
    """Nothing that the browser got, sent or keeps is a token; ends the browser's context.

    Access and ID tokens are known by their form, refresh tokens by identity's hashes. The authorization code
    does pass through the browser: it is found in the same way, which shows that there is nothing to find.

    Args:
        recording: what its context recorded (``record_har_path``).
    """
    kept = json.dumps(visitor.page.context.storage_state(indexed_db=True))
    kept += visitor.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    visitor.remember_cookies()
    visitor.page.context.close()
    exchanges = json.loads(recording.read_text(encoding="utf-8"))["log"]["entries"]
    seen = "\n".join([kept, *map(_text, exchanges)])
    assert not JWT.findall(seen)
    hashes = {hashlib.sha256(word.encode()).digest() for word in SECRET.findall(seen)}
    assert hashes & _hashes(visitor.platform, "select code_hash from authorization_codes")
    assert not hashes & _hashes(visitor.platform, "select token_hash from refresh_tokens")


def _hashes(platform: Platform, query: str) -> set[bytes]:
    return {bytes(found) for (found,) in platform.rows("identity", query)}


def _text(exchange: dict[str, Any]) -> str:
    """Headers and bodies of one exchange, as text."""
    asked, answered = exchange["request"], exchange["response"]
    content = answered["content"]
    body = content.get("text", "")
    if content.get("encoding") == "base64":
        body = b64decode(body).decode("latin-1")
    headers = [f"{h['name']}: {h['value']}" for h in asked["headers"] + answered["headers"]]
    return "\n".join([asked["url"], *headers, asked.get("postData", {}).get("text", ""), body])
