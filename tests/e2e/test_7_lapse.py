"""A request that lapses, in a real browser: what is seen afterwards, and a late answer.

Its citizens are its own: legal time may go back for them, behind what the tests before have seen.
"""

from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from espace.testing import until
from espace_stack.legal import BRUSSELS
from espace_stack.mailbox.client import Message
from espace_stack.testing.platform import Platform
from tests.e2e.app import App
from tests.e2e.claims import add_to_request, deposit_with_drc
from tests.e2e.conftest import NewApp, NewVisitor
from tests.e2e.mails import mails
from tests.e2e.visitor import TITLE, Visitor

pytestmark = pytest.mark.browser
OVER = "le délai de réponse est écoulé"


def test_a_lapse_is_told_and_a_late_answer_warned_of(
    platform: Platform, new_app: NewApp, new_visitor: NewVisitor
) -> None:
    apps = {"with JavaScript": new_app(), "without": new_app()}
    platform.legal.freeze(datetime(2024, 10, 20, 10, 0, tzinfo=BRUSSELS))
    dossiers = {name: deposit_with_a_piece_unsent(app) for name, app in apps.items()}
    visitors = {name: new_visitor(app.person, javascript=name != "without") for name, app in apps.items()}
    for name, visitor in visitors.items():
        visitor.enter()
        visitor.dossiers()
        row = visitor.page.locator(".me-row", has_text=dossiers[name]["number"])
        expect(row).to_contain_text("Action requise")
        expect(row).to_contain_text("avant la fin du jeudi 24 octobre 2024")
    platform.settle()

    platform.legal.freeze(datetime(2024, 10, 25, 8, 0, tzinfo=BRUSSELS))
    for app in apps.values():
        until("the mail of the lapse", lambda: told_of_the_lapse(platform, app))  # noqa: B023  used at once
    for name, visitor in visitors.items():
        sees_the_lapse(visitor, dossiers[name])
        answers_late(visitor)
    platform.settle()
    assert [len(told_of_the_lapse(platform, app)) for app in apps.values()] == [1, 1]


def told_of_the_lapse(platform: Platform, app: App) -> list[Message]:
    """The messages to this citizen that say so."""
    return [message for message in mails(platform, app, "24 octobre 2024") if OVER in message.subject]


def deposit_with_a_piece_unsent(app: App) -> Any:
    """A claim with its request, to which a piece was added and not sent."""
    dossier, request = deposit_with_drc(app)
    add_to_request(app, dossier, request)
    return dossier


def sees_the_lapse(visitor: Visitor, dossier: Any) -> None:
    """In the list, in the dossier and in the request."""
    page = visitor.page
    visitor.dossiers()
    row = page.locator(".me-row", has_text=dossier["number"])
    expect(row).to_contain_text("Introduit")
    expect(row).not_to_contain_text("Action requise")
    row.get_by_role("link").click()
    visitor.heading(TITLE)
    main = page.get_by_role("main")
    expect(main).to_contain_text(
        "est échue depuis la fin du jeudi 24 octobre 2024, sans réponse de votre part"
    )
    expect(main).to_contain_text("Échue sans réponse")
    expect(main).not_to_contain_text("Action requise")
    expect(page.locator(".me-file", has_text="pièce complémentaire.pdf")).to_contain_text("pas encore envoyé")
    expect(page.get_by_role("region", name="Étapes")).to_contain_text("DRC Échu sans réponse")
    visitor.link("Voir la demande").click()
    expect(main).to_contain_text("Les pièces ajoutées et non envoyées sont conservées et marquées ainsi.")


def answers_late(visitor: Visitor) -> None:
    """The warning comes before the sending; the answer is kept and says that it is late."""
    main = visitor.page.get_by_role("main")
    visitor.page.get_by_role("button", name="Envoyer ma réponse").click()
    visitor.heading("Vérifiez votre réponse")
    expect(main).to_contain_text("L’échéance du jeudi 24 octobre 2024 est passée.")
    expect(main).to_contain_text("votre réponse sera conservée et marquée en retard")
    visitor.button("Confirmer").click()
    expect(main).to_contain_text("24 octobre 2024")
    visitor.page.get_by_role("link", name="Retour au dossier").click()
    expect(main).to_contain_text("Répondue en retard le vendredi 25 octobre 2024")
    expect(main).not_to_contain_text("pas encore envoyé")
