"""« Confirmer » in a real browser: twice, again, or without an answer, there is one deposit."""

from typing import Any

import pytest
from playwright.sync_api import expect

from espace_stack.testing.platform import Platform
from tests.e2e.app import App
from tests.e2e.claims import ready_claim
from tests.e2e.conftest import NewApp, NewVisitor
from tests.e2e.once import deposited_once, number_of
from tests.e2e.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.anywhere]
RECEIPT = "Votre dossier est introduit"
JAVASCRIPT = pytest.mark.parametrize(
    "javascript", [True, False], ids=["with-javascript", "without-javascript"]
)


@JAVASCRIPT
def test_a_double_click_the_back_button_and_a_second_window_give_one_deposit(
    platform: Platform, new_app: NewApp, new_visitor: NewVisitor, javascript: bool
) -> None:
    app = new_app()
    visitor, dossier = at_the_last_page(app, new_visitor, javascript)
    page = visitor.page
    second = page.context.new_page()
    second.goto(f"/dossiers/{dossier['id']}/verification")
    visitor.button("Confirmer").dblclick(no_wait_after=True)
    visitor.heading(RECEIPT)
    number = number_of(platform, dossier["id"])
    expect(page.get_by_role("main")).to_contain_text(number)

    page.go_back()  # what is deposited has no page to confirm any more: its receipt comes instead
    visitor.heading(RECEIPT)
    expect(page.get_by_role("main")).to_contain_text(number)
    expect(visitor.button("Confirmer")).to_have_count(0)

    second.get_by_role("button", name="Confirmer", exact=True).click()
    expect(second.get_by_role("heading", level=1)).to_contain_text(RECEIPT)
    expect(second.get_by_role("main")).to_contain_text(number)
    deposited_once(platform, app, dossier["id"])
    assert app.get("dossier/v1/dossiers")["total"] == 1


def test_an_answer_lost_in_the_browser_is_asked_for_again(
    platform: Platform, new_app: NewApp, new_visitor: NewVisitor
) -> None:
    """The deposit arrives while nobody waits for its answer any more."""
    apps = [new_app(), new_app()]
    visitors = [at_the_last_page(app, new_visitor, javascript=app is apps[0])[0] for app in apps]
    platform.part("dossier-api").pause()
    for visitor in visitors:
        visitor.button("Confirmer").click(no_wait_after=True)
    for visitor in visitors:
        again = visitor.button("Recommencer")
        again.wait_for(timeout=60_000)
        visitor.heading("Le service est momentanément indisponible")
    platform.part("dossier-api").resume()
    for app, visitor in zip(apps, visitors, strict=True):
        visitor.button("Recommencer").click()
        visitor.heading(RECEIPT)
        (dossier,) = app.get("dossier/v1/dossiers")["items"]
        deposited_once(platform, app, dossier["id"])


def at_the_last_page(app: App, new_visitor: NewVisitor, javascript: bool) -> tuple[Visitor, Any]:
    """A browser at « Confirmer », and the dossier to confirm."""
    dossier = ready_claim(app)
    visitor = new_visitor(app.person, javascript=javascript)
    visitor.enter()
    visitor.page.goto(f"/dossiers/{dossier['id']}/verification")
    visitor.heading("Vérifiez votre dossier")
    return visitor, dossier
