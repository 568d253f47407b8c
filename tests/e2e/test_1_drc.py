"""The four more days in a real browser: asked for, seen, answered."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from espace_stack.testing.platform import Platform
from tests.e2e.conftest import NewApp, NewVisitor
from tests.e2e.mails import mail
from tests.e2e.pdfs import on_disk, signed_claim

pytestmark = [pytest.mark.browser, pytest.mark.anywhere]
MISSING = "Procès-verbal du bureau 12"


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_the_four_more_days_are_seen_and_answered(
    platform: Platform, new_app: NewApp, new_visitor: NewVisitor, tmp_path: Path, javascript: bool
) -> None:
    person = new_app().person
    visitor = new_visitor(person, javascript=javascript)
    page = visitor.page
    visitor.enter()
    visitor.start_claim()
    visitor.fill(drc=MISSING)
    visitor.open_slot("Réclamation datée et signée")
    visitor.pick(on_disk(tmp_path, "réclamation.pdf", signed_claim()))
    visitor.sees_file("réclamation.pdf")
    visitor.close()
    number = visitor.submit()
    assert "19 octobre 2024" in (mail(platform, person, MISSING).text or "")

    visitor.dossiers()
    row = page.locator(".me-row", has_text=number)
    expect(row).to_contain_text("Action requise")
    expect(row.locator("svg")).to_be_visible()
    row.get_by_role("link").click()
    box = page.locator(".me-due")
    expect(box).to_contain_text(MISSING)
    expect(box).to_contain_text("19 octobre 2024")
    steps = page.get_by_role("region", name="Étapes")
    expect(steps).to_contain_text("En Traitement")
    expect(steps.locator("[aria-current=step]")).to_contain_text("DRC")
    page.get_by_role("button", name="Répondre à la demande").click()
    page.get_by_role("button", name="Ajouter un fichier").click()
    visitor.pick(on_disk(tmp_path, "bureau 12.pdf", signed_claim("Bureau 12")))
    visitor.sees_file("bureau 12.pdf")
    visitor.close()
    page.get_by_role("button", name="Envoyer ma réponse").click()
    visitor.button("Confirmer").click()
    expect(page.get_by_role("main")).to_contain_text("Votre réponse a été envoyée")
    mail(platform, person, "bureau 12.pdf")
    visitor.dossiers()
    expect(page.locator(".me-row", has_text=number)).not_to_contain_text("Action requise")
