"""The pages in Chromium: the redirects pass the content security policy, nothing fails the axe rules."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def assert_accessible(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    assert found == [], [(v["id"], v["nodes"][0]["html"]) for v in found]
    width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1]


@pytest.mark.parametrize("javascript", [True, False])
def test_a_citizen_logs_in_with_a_code(browser: Browser, issuer: str, javascript: bool) -> None:
    context = browser.new_context(
        java_script_enabled=javascript, locale="fr-BE", viewport={"width": 320, "height": 800}
    )
    context.set_default_timeout(15_000)
    page = context.new_page()
    # The client has no page here: any answer will do, the address is what counts.
    page.route(
        re.compile(r"^[^?]*/connexion/retour\?"), lambda route: route.fulfill(status=200, body="client")
    )
    callback = issuer.replace("/identity", "/connexion/retour")
    query = (
        f"response_type=code&client_id=web&redirect_uri={callback}&scope=openid&state=s&nonce=n-{javascript}"
        f"&code_challenge={CHALLENGE}&code_challenge_method=S256"
    )
    page.goto(f"{issuer}/authorize?{query}")
    check = assert_accessible if javascript else lambda _page: None
    check(page)
    page.get_by_role("button", name="via SMS").click()
    page.get_by_label("Citoyen de démonstration").select_option("lucie")
    check(page)
    page.get_by_role("button", name="Annuler").click()
    page.get_by_role("heading", name="Vous avez annulé la connexion").wait_for()
    check(page)
    page.get_by_role("link", name="Choisir un moyen de connexion").click()
    page.get_by_role("button", name="via SMS").click()
    page.get_by_label("Citoyen de démonstration").select_option("lucie")
    page.get_by_role("button", name="Recevoir le code").click()
    check(page)
    code = page.locator("#shown-code").inner_text()
    page.get_by_label("Code de sécurité", exact=True).fill(code)
    page.get_by_role("button", name="Confirmer").click()
    page.wait_for_url(re.compile(r"^[^?]*/connexion/retour\?code="))
    page.goto(f"{issuer}/logout")
    check(page)
    page.get_by_role("button", name="Se déconnecter").click()
    page.get_by_role("heading", name="Vous êtes déconnecté").wait_for()
    context.close()
