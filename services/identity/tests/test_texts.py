"""The pages' texts: in the catalogues, complete in four languages, in the language of whoever reads."""

import re
from pathlib import Path
from uuid import uuid4

import pytest

import identity_service
from espace.i18n import LANGUAGES
from identity_service.browser import PROBLEMS
from identity_service.language import texts
from identity_service.means import catalogue
from identity_service.pages import FAILURES
from services.identity.tests.house import House, fields, query_of

FOLDER = Path(identity_service.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").glob("*.html"))
SAME_IN_EVERY_LANGUAGE = {"means.itsme", "means.eidas", "page.cookies"}
OTHERS = [language for language in LANGUAGES if language != "fr"]


def used_texts() -> set[str]:
    pages = (FOLDER / "pages.py").read_text("utf-8")
    named = [f"means.{one}" for one in catalogue(400)]
    return {
        *(text for path in TEMPLATES for text in re.findall(r"_\('([\w.]+)'[,)]", path.read_text("utf-8"))),
        *(text for pair in re.findall(r'message\(context, "(\S+)", "(\S+)"', pages) for text in pair),
        *re.findall(r'error="(\S+)"', pages),
        *(text for one in named for text in (one, f"{one}.hint")),
        *(text for one in PROBLEMS for text in (f"problem.{one}", f"problem.{one}.text")),
        *(text for one in FAILURES for text in (f"failure.{one}", f"failure.{one}.text")),
    }


def test_french_has_exactly_the_texts_that_the_pages_use() -> None:
    assert set(texts().texts("fr")) == used_texts()


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_is_complete_and_no_copy_of_the_french(language: str) -> None:
    french, own = texts().texts("fr"), texts().texts(language)
    assert own.keys() == french.keys()
    assert {name for name in own if own[name] == french[name]} == SAME_IN_EVERY_LANGUAGE


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_text_of_its_own(path: Path) -> None:
    without = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", path.read_text("utf-8"), flags=re.S)
    assert set(re.findall(r"\w+", without)) <= {"Mon", "Espace"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_in_the_language_that_the_client_asks_for(house: House, language: str) -> None:
    def assert_in_language(page: str, *names: str) -> None:
        assert f'<html lang="{language}">' in page
        for name in names:
            assert texts().gettext(language, name) in page, name

    browser, wish = house.browser(), {"ui_locales": f"oc {language}-BE fr"}
    other = {"headers": {"Accept-Language": "nl" if language == "fr" else "fr"}}
    authorized = house.authorize(browser, **wish)
    page = browser.get(authorized.headers["location"], **other).text
    assert_in_language(page, "login.title", "means.eid", "means.sms.hint", "login.activate", "login.cancel")
    again = browser.post("/identity/login", {**fields(page), "means": "none"}, **other)
    assert_in_language(again.text, "login.choose_one")
    sent = browser.post("/identity/login", {**fields(page), "means": "itsme"})
    refused = house.source.post(sent.headers["location"], data={"means": "itsme", "action": "cancel"})
    told = browser.get(refused.headers["location"], **other).text
    assert_in_language(told, "failure.access_denied", "failure.access_denied.text", "failure.retry")
    assert "code" in query_of(browser.get(house.confirm(house.choose(browser, authorized))))
    asked = browser.get("/identity/logout", params=wish, **other).text
    assert_in_language(asked, "logout.title", "logout.confirm", "logout.stay")
    done = browser.post("/identity/logout", fields(asked), **other).text
    assert_in_language(done, "logout.done", "logout.done.text", "page.home")


@pytest.mark.parametrize(
    ("asked", "cookie", "browsers", "language"),
    [
        ("de", "nl", "en", "de"),
        ("oc xx", "nl", "en", "nl"),
        (None, "nl", "en", "nl"),
        (None, "xx", "en-GB, fr;q=0.5", "en"),
        (None, None, "de-BE", "de"),
        (None, None, "pt", "fr"),
        (None, None, None, "fr"),
    ],
)
def test_the_clients_wish_comes_before_the_visitors_choice_and_the_browsers(
    house: House, asked: str | None, cookie: str | None, browsers: str | None, language: str
) -> None:
    browser = house.browser()
    if cookie:
        browser.cookies["__Host-langue"] = cookie
    headers = {"Accept-Language": browsers} if browsers else {}
    authorized = house.authorize(browser, ui_locales=asked)
    page = browser.get(authorized.headers["location"], headers=headers).text
    assert f'<html lang="{language}">' in page


def test_a_page_without_a_login_is_in_the_visitors_language(house: House) -> None:
    browser = house.browser()
    page = browser.get(f"/identity/login?t={uuid4()}", headers={"Accept-Language": "nl-BE"})
    assert page.status_code == 400
    assert texts().gettext("nl", "login.expired") in page.text
    assert '<html lang="nl">' in page.text
