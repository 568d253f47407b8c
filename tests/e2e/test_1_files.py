"""A wrong file in a real browser: it is said what is wrong, and the rest of the dossier is intact."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Request, Route, expect

from tests.e2e.app import App
from tests.e2e.claims import COMPLETE, PROCEDURE
from tests.e2e.conftest import NewApp, NewVisitor
from tests.e2e.pdfs import encrypted_claim, on_disk, padded_claim, signed_claim
from tests.e2e.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.anywhere]
EMOJI = "réclamation 🗳️ signée.pdf"
SLOT = "Réclamation datée et signée"
LIMIT = 20 * 1024 * 1024
EMPTY = ("vide.pdf", b"", "Le fichier est vide.")
TOO_LARGE = ("énorme.pdf", padded_claim(LIMIT + 1), "Le fichier dépasse la taille maximale.")
NOT_A_PDF = ("pas-un-pdf.pdf", b"bonjour", "Le fichier n’est pas un PDF.")
BROKEN = ("abîmé.pdf", b"%PDF-1.7\nrubbish", "Le PDF ne s’ouvre pas.")
LOCKED = ("secret.pdf", encrypted_claim(), "Le PDF est protégé par un mot de passe.")
WRONG = (EMPTY, TOO_LARGE, NOT_A_PDF, BROKEN, LOCKED)


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
def test_each_wrong_file_is_explained_and_the_right_one_is_taken(
    new_app: NewApp, new_visitor: NewVisitor, tmp_path: Path, javascript: bool
) -> None:
    app = new_app()
    visitor, kept = at_the_slot(app, new_visitor, javascript)
    for name, content, words in WRONG:
        visitor.pick(on_disk(tmp_path, name, content))
        expect(visitor.page.get_by_text(words).first).to_be_visible(timeout=30_000)
        assert pieces(app, kept["id"]) == pieces_of(kept), name
    visitor.pick(on_disk(tmp_path, EMOJI, signed_claim()))
    visitor.sees_file(EMOJI)
    visitor.close()
    visitor.open_slot("Autres documents")
    visitor.pick({"name": "../../etc/passwd.pdf", "mimeType": "application/pdf", "buffer": signed_claim()})
    visitor.sees_file("passwd.pdf")
    visitor.close()
    names = [piece["filename"] for piece in app.dossier(kept["id"])["attachments"]]
    assert sorted(names) == sorted(["réclamation.pdf", EMOJI, "passwd.pdf"])
    expect(visitor.page.get_by_role("main")).not_to_contain_text("../")
    with visitor.page.expect_download() as saved:
        visitor.link("passwd.pdf").click()
    assert saved.value.suggested_filename == "passwd.pdf"


def test_bytes_changed_on_their_way_are_refused_and_sent_again(
    new_app: NewApp, new_visitor: NewVisitor, tmp_path: Path
) -> None:
    app = new_app()
    visitor, kept = at_the_slot(app, new_visitor, javascript=True)
    claim = signed_claim()

    def change(route: Route, request: Request) -> None:
        """Put other bytes of the same number where the file was; Playwright leaves a file's bytes out."""
        before, type_line, after = (request.post_data_buffer or b"").rpartition(b"application/pdf\r\n\r\n")
        assert after.startswith(b"\r\n--")
        route.continue_(post_data=before + type_line + claim.replace(b"%%EOF", b"%%FOE") + after)

    visitor.page.route("**/espace-documents", change, times=1)
    with visitor.page.expect_response("**/espace-documents") as answer:
        visitor.pick(on_disk(tmp_path, "réclamation.pdf", claim))
    assert (answer.value.status, "BadDigest" in answer.value.text()) == (400, True)
    expect(visitor.page.get_by_text("L’envoi a échoué.").first).to_be_visible()
    assert pieces(app, kept["id"]) == pieces_of(kept)
    visitor.button("Réessayer").click()
    visitor.sees_file("réclamation.pdf")


def at_the_slot(app: App, new_visitor: NewVisitor, javascript: bool) -> tuple[Visitor, Any]:
    """A browser where the signed claim is added, and the dossier, which has another piece already."""
    draft = app.draft(PROCEDURE, COMPLETE)
    kept = app.attach(draft["id"], "autres", signed_claim())
    visitor = new_visitor(app.person, javascript=javascript)
    visitor.enter()
    visitor.page.goto(f"/dossiers/{draft['id']}/pieces")
    visitor.open_slot(SLOT)
    return visitor, kept


def pieces(app: App, dossier_id: str) -> list[tuple[str, str]]:
    """What the dossier holds now."""
    return pieces_of(app.dossier(dossier_id))


def pieces_of(dossier: Any) -> list[tuple[str, str]]:
    """The pieces of a dossier with their hashes."""
    return [(piece["document_id"], piece["sha256"]) for piece in dossier["attachments"]]
