"""The guide's journey in a real browser, from « Me connecter » to the deposit (JavaScript on and off)."""

import io
from pathlib import Path
from typing import Any

import pypdf
import pytest
from playwright.sync_api import expect

from espace.testing import until
from espace_stack.testing.platform import Platform
from login_simulator.citizens import Citizen
from tests.e2e.conftest import Citizens
from tests.e2e.pdfs import encrypted_claim, on_disk, signed_claim
from tests.e2e.visitor import TITLE, Visitor

pytestmark = pytest.mark.browser
JAVASCRIPT = pytest.mark.parametrize(
    "javascript", [True, False], ids=["with-javascript", "without-javascript"]
)


@pytest.mark.parametrize("hands", ["mouse", "keyboard", "without-javascript"])
def test_a_candidate_follows_the_guide_to_the_confirmed_deposit(
    platform: Platform, page_factory: Any, citizens: Citizens, tmp_path: Path, hands: str
) -> None:
    person = citizens.take()
    javascript, keyboard = hands != "without-javascript", hands == "keyboard"
    visitor = Visitor(
        platform, page_factory(javascript=javascript), person, javascript=javascript, keyboard=keyboard
    )
    page = visitor.page
    visitor.log_in()
    visitor.create_space()
    visitor.start_claim()
    visitor.fill()

    text = _text_of(visitor.declaration())
    assert person.family_name in text
    assert "Liste 7" in text

    visitor.open_slot("Réclamation datée et signée")
    visitor.pick(on_disk(tmp_path, "pas-un-pdf.pdf", b"bonjour"))
    expect(page.get_by_text("n’est pas un PDF").first).to_be_visible()
    visitor.pick(on_disk(tmp_path, "secret.pdf", encrypted_claim()))
    expect(page.get_by_text("mot de passe").first).to_be_visible()
    visitor.pick(on_disk(tmp_path, "réclamation signée.pdf", signed_claim()))
    visitor.sees_file("réclamation signée.pdf")
    visitor.close()
    visitor.open_slot("Autres documents")
    other = on_disk(tmp_path, "procès-verbal.pdf", signed_claim("Procès-verbal"))
    if hands == "mouse":
        visitor.drop(other)
    else:
        visitor.pick(other)
    visitor.sees_file("procès-verbal.pdf")
    visitor.close()

    number = visitor.submit()
    receipt_address = page.url
    expect(page.get_by_role("main")).to_contain_text("octobre 2024")
    _receipt_mail(platform, person, number)
    page.get_by_role("link", name="Mes Dossiers", exact=True).first.click()
    row = page.locator(".me-row", has_text=TITLE)
    expect(row).to_contain_text(number)
    expect(row).to_contain_text("Introduit")

    page.goto(receipt_address)
    expect(page.get_by_role("main")).to_contain_text(number)
    assert len(platform.rows("dossier", f"select 1 from event_log where data->>'number' = '{number}'")) == 1


@JAVASCRIPT
def test_a_double_click_and_the_back_button_give_one_number(
    platform: Platform, page_factory: Any, citizens: Citizens, tmp_path: Path, javascript: bool
) -> None:
    person = citizens.take()
    visitor = Visitor(platform, page_factory(javascript=javascript), person, javascript=javascript)
    page = visitor.page
    visitor.log_in()
    visitor.create_space()
    visitor.start_claim()
    visitor.fill()
    visitor.open_slot("Réclamation datée et signée")
    visitor.pick(on_disk(tmp_path, "réclamation.pdf", signed_claim()))
    visitor.sees_file("réclamation.pdf")
    visitor.close()
    page.get_by_role("button", name="Soumettre mon dossier").click()
    visitor.heading("Vérifiez votre dossier")
    visitor.button("Confirmer").dblclick(no_wait_after=True)
    visitor.heading("Votre dossier est introduit")
    number = _number(platform, person)
    expect(page.get_by_role("main")).to_contain_text(number)

    page.go_back()
    if visitor.button("Confirmer").count():
        visitor.button("Confirmer").click()
        visitor.heading("Votre dossier est introduit")
    platform.settle()
    assert _number(platform, person) == number
    assert len([m for m in platform.mail.messages(to=person.email) if number in (m.text or "")]) == 1


@JAVASCRIPT
def test_the_four_more_days_are_seen_and_answered(
    platform: Platform, page_factory: Any, citizens: Citizens, tmp_path: Path, javascript: bool
) -> None:
    person = citizens.take()
    visitor = Visitor(platform, page_factory(javascript=javascript), person, javascript=javascript)
    page = visitor.page
    visitor.log_in()
    visitor.create_space()
    visitor.start_claim()
    visitor.fill(drc="Procès-verbal du bureau 12")
    visitor.open_slot("Réclamation datée et signée")
    visitor.pick(on_disk(tmp_path, "réclamation.pdf", signed_claim()))
    visitor.sees_file("réclamation.pdf")
    visitor.close()
    number = visitor.submit()
    mail = until("the DRC mail", lambda: _mail(platform, person, "Procès-verbal du bureau 12"))
    assert "19 octobre 2024" in mail

    page.get_by_role("link", name="Mes Dossiers", exact=True).first.click()
    row = page.locator(".me-row", has_text=number)
    expect(row).to_contain_text("Action requise")
    expect(row.locator("svg")).to_be_visible()
    row.get_by_role("link").click()
    box = page.locator(".me-due")
    expect(box).to_contain_text("Procès-verbal du bureau 12")
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
    platform.settle()
    page.get_by_role("link", name="Mes Dossiers", exact=True).first.click()
    expect(page.locator(".me-row", has_text=number)).not_to_contain_text("Action requise")


def _receipt_mail(platform: Platform, person: Citizen, number: str) -> None:
    text = until("the receipt's mail", lambda: _mail(platform, person, number))
    assert "réclamation signée.pdf" in text
    assert person.national_number not in text


def _mail(platform: Platform, person: Citizen, words: str) -> str | None:
    return next((m.text for m in platform.mail.messages(to=person.email) if words in (m.text or "")), None)


def _number(platform: Platform, person: Citizen) -> str:
    rows = platform.rows(
        "dossier",
        "select distinct data->>'number' from event_log e where type = 'be.espace.dossier.submitted.v1' "
        f"and data->>'citizen_id' = '{_citizen_id(platform, person)}'",
    )
    assert len(rows) == 1, rows
    return str(rows[0][0])


def _citizen_id(platform: Platform, person: Citizen) -> str:
    rows = platform.rows("identity", f"select citizen_id from sources where subject = '{person.subject}'")
    return str(rows[0][0])


def _text_of(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
