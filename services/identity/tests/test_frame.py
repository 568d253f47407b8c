"""What every page carries, and what a person is told when something goes wrong: always a page, never JSON."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from flask import Flask

from espace.clock import LegalTime
from espace.db import Database
from espace.errors import TransientError
from espace.i18n import LANGUAGES
from identity_service import logins
from identity_service.app import create_app
from identity_service.language import texts
from identity_service.settings import Settings
from services.identity.tests.house import PUBLIC, House

PLACES = ["/identity/login", "/identity/authorize", "/identity/callback", "/identity/logout?id_token_hint=x"]


@pytest.mark.parametrize("path", PLACES)
def test_every_page_says_when_legal_time_is_not_the_real_one(
    settings: Settings, database: Database, simulator: Flask, tmp_path: Path, path: str
) -> None:
    file = tmp_path / "legal.json"
    LegalTime().save(file)
    app = create_app(
        replace(settings, legal_clock_file=file),
        database,
        transport=httpx.WSGITransport(app=simulator),
    )
    pages = httpx.Client(transport=httpx.WSGITransport(app=app), base_url=PUBLIC)
    assert 'class="clock"' not in pages.get(path).text
    LegalTime(frozen=datetime(2024, 10, 21, 21, 59, tzinfo=UTC)).save(file)
    for language in LANGUAGES:
        page = pages.get(path, headers={"Accept-Language": language}).text
        assert 'class="clock"' in page
        assert texts().gettext(language, "page.legal_time", instant="").strip() in page
        assert "21" in page.partition('class="clock"')[2].partition("</aside>")[0]
    assert "lundi 21 octobre 2024 à 23 h 59" in pages.get(path).text
    LegalTime(offset=timedelta(days=-365)).save(file)
    assert 'class="clock"' in pages.get(path).text


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (TransientError("away"), 503, "temporarily_unavailable"),
        (RuntimeError("a secret of ours"), 500, "internal_error"),
    ],
)
def test_what_breaks_is_told_on_a_page(
    house: House, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(logins, "find", broken)
    answer = house.browser().get("/identity/login", headers={"Accept-Language": "nl"})
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert texts().gettext("nl", f"problem.{code}") in answer.text
    assert str(error) not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)


def test_programs_are_still_told_in_problem_objects(house: House) -> None:
    wrong = house.browser().send("PUT", "/identity/login")
    assert (wrong.status_code, wrong.headers["content-type"]) == (405, "application/problem+json")
