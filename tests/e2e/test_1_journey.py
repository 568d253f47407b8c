"""The guide's journey in a real browser, from « Me connecter » to the deposit (JavaScript on and off)."""

import io
from pathlib import Path
from typing import Any

import pypdf
import pytest
from playwright.sync_api import expect

from espace_stack.testing.platform import Platform
from tests.e2e.conftest import NewVisitor
from tests.e2e.mails import mail
from tests.e2e.pages import accessible, fits, has_no_token
from tests.e2e.pdfs import encrypted_claim, on_disk, signed_claim
from tests.e2e.visitor import TITLE

pytestmark = [pytest.mark.browser, pytest.mark.anywhere]
HANDS: dict[str, dict[str, Any]] = {
    "mouse": {},
    "keyboard-320px": {"keyboard": True, "width": 320},
    "without-javascript": {"javascript": False},
}


@pytest.mark.parametrize("hands", HANDS)
def test_a_candidate_follows_the_guide_to_the_confirmed_deposit(
    platform: Platform, new_visitor: NewVisitor, tmp_path: Path, hands: str
) -> None:
    recording = tmp_path / "journey.har"
    visitor = new_visitor(**HANDS[hands], record_har_path=recording)
    visitor.inspect = accessible if hands == "mouse" else fits
    page, person = visitor.page, visitor.person
    visitor.log_in()
    visitor.create_space()
    visitor.start_claim()
    visitor.fill()

    text = _text_of(visitor.declaration())
    assert person.family_name in text
    assert "Liste 7" in text

    visitor.open_slot("Réclamation datée et signée")
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
    expect(page.get_by_role("main")).to_contain_text("octobre 2024")
    receipt = mail(platform, person, number)
    assert "réclamation signée.pdf" in (receipt.text or "")
    assert person.national_number not in (receipt.text or "") + (receipt.html or "")

    visitor.dossiers()
    row = page.locator(".me-row", has_text=number)
    expect(row).to_contain_text(TITLE)
    expect(row).to_contain_text("Introduit")
    visitor.hands.press(row.get_by_role("link"))
    visitor.heading(TITLE)
    visitor.hands.press(visitor.link("Accusé de réception"))
    visitor.heading("Votre dossier est introduit")
    expect(page.get_by_role("main")).to_contain_text(number)
    assert len(platform.rows("dossier", f"select 1 from event_log where data->>'number' = '{number}'")) == 1
    has_no_token(visitor, recording)


def _text_of(pdf: bytes) -> str:
    return " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
