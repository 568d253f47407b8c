"""The screens that the journey does not pass: closed, refused, late, lapsed, delayed; in each language."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page

from web.tests.fakes import problem
from web.tests.fakes.claim import NOW, WINDOW
from web.tests.site import LANGUAGES, Site, screen

GERMAN = (
    "Vous êtes domicilié à Eupen, une des neuf communes de langue allemande. Leurs élections sont organisées "
    "par la Communauté germanophone : adressez votre réclamation à celle-ci."
)
LATE = "Votre réponse est arrivée le 26 octobre 2024 à 8 h 00, après la fin du vendredi 25 octobre 2024."


@pytest.fixture
def show(live: Site, page: Page, language: str) -> Any:
    """Opens a page signed in, and looks at it."""
    live.services.profile["language"] = language
    live.enter(page, "/accueil")

    def opened(name: str, path: str, press: str | None = None) -> Page:
        page.goto(live.url + path)
        if press:
            with page.expect_navigation():
                page.locator(press).first.click()
        assert page.evaluate("document.documentElement.lang") == language
        screen(page, f"40-{language}-{name}")
        return page

    return opened


def at(site: Site, day: int, hour: int) -> None:
    """Legal time, by Brussels' summer hour."""
    site.freeze((datetime(2024, 10, day, hour, tzinfo=UTC) - timedelta(hours=2)).isoformat())


@pytest.mark.browser
@LANGUAGES
def test_procedures_that_cannot_be_used(live: Site, show: Any) -> None:
    claims = live.services.claims
    for state, words in (("upcoming", "pas encore ouverte"), ("closed", "fermée")):
        claims.procedure["state"] = state
        show(f"catalogue-{state}", "/demarches")
        page = show(f"procedure-{state}", "/demarches/reclamation-electorale")
        assert page.locator("form button.me-button--wide").count() == 0
        assert is_french(page, words)
    claims.procedure["state"] = "open"
    claims.refusals["/dossiers"] = problem(422, "commune_not_covered", GERMAN, reason="german_language")
    page = show("procedure-german", "/demarches/reclamation-electorale", ".me-button--wide")
    assert page.get_by_text("Eupen").is_visible()


@pytest.mark.browser
@LANGUAGES
def test_deposits_that_are_not_possible(live: Site, show: Any) -> None:
    claims = live.services.claims
    confirm = ".me-confirm button"
    closed = claims.add_validated()
    closed |= {"window": {**WINDOW, "state": "closed"}, "actions": ["edit", "attach"]}
    page = show("check-closed", f"/dossiers/{closed['id']}/verification")
    assert page.locator(confirm).count() == 0
    assert page.get_by_text(WINDOW["reasons"][1]).first.is_visible()
    ready = f"/dossiers/{claims.add_validated()['id']}/verification"
    for name, answer in {
        "check-refused": problem(409, "window_closed", "Le délai est passé.", reasons=WINDOW["reasons"]),
        "check-missing": problem(422, "attachments_missing", errors={"reclamation": ["Ajoutez un fichier."]}),
        "check-level": problem(403, "level_too_low", min_level=450),
        "check-level-500": problem(403, "level_too_low", min_level=500),
        "check-unknown": problem(500, "internal_error"),
    }.items():
        claims.refusals["/submission"] = answer
        show(name, ready, confirm)
    claims.refusals.clear()
    deposited = claims.add_deposited()
    show("withdraw", f"/dossiers/{deposited['id']}/retrait")
    show("withdrawn", f"/dossiers/{deposited['id']}/retrait", "main form button")


@pytest.mark.browser
@LANGUAGES
def test_files_in_every_state(live: Site, show: Any) -> None:
    dossier = live.services.claims.add_validated()
    piece = dossier["attachments"][0]
    dossier["attachments"] = [
        {**piece, "scan": scan, "filename": f"{scan}-réclamation-de-Lucie-Delvaux-signée-et-scannée.pdf"}
        for scan in ("clean", "pending", "infected", "not_scanned")
    ]
    show("pieces-scans", f"/dossiers/{dossier['id']}/pieces")
    show("upload-full", f"/dossiers/{dossier['id']}/pieces/reclamation")
    show("dossier-scans", f"/dossiers/{dossier['id']}")


@pytest.mark.browser
@LANGUAGES
def test_requests_for_information_in_every_state(live: Site, show: Any) -> None:
    dossier = live.services.claims.add_deposited(complete="drc")
    (wanted,) = dossier["information_requests"]
    base, drc = f"/dossiers/{dossier['id']}", f"/dossiers/{dossier['id']}/drc/{wanted['id']}"
    piece = {**dossier["attachments"][0], "slot": "complement", "sent": False}
    for name, day, words in (("due-tomorrow", 24, "demain"), ("due-today", 25, "Dernier jour")):
        at(live, day, 12)
        assert is_french(show(name, base), words)
        show(f"drc-{name}", drc)
    at(live, 26, 8)
    wanted |= {"past_due": True, "attachments": [piece], "actions": ["attach", "answer"]}
    assert is_french(show("past-due", base), "sera marquée en retard")
    show("drc-past-due", drc)
    assert is_french(show("drc-check-past-due", f"{drc}/verification"), "marquée en retard")
    dossier["action_required"] = False
    dossier["steps"][2]["substeps"][0]["state"] = "lapsed"
    wanted |= {"state": "lapsed", "lapsed_at": NOW}
    assert is_french(show("lapsed", base), "échue")
    assert is_french(show("drc-lapsed", drc), "échue")
    wanted |= {"late": True, "late_reason": LATE, "answered_at": NOW, "actions": []}
    piece["sent"] = True
    assert is_french(show("late", base), "en retard")
    assert show("drc-late", drc).get_by_text(LATE).is_visible()
    dossier |= {"state": "withdrawn", "withdrawn_at": NOW, "actions": []}
    wanted |= {"state": "withdrawn", "late": False, "late_reason": None, "answered_at": None}
    assert is_french(show("drc-withdrawn", drc), "a pris fin avec le retrait")
    assert is_french(show("dossier-withdrawn", base), "Close par le retrait")


@pytest.mark.browser
@LANGUAGES
def test_receipt_says_what_became_of_its_mail(live: Site, show: Any) -> None:
    services = live.services
    path = f"/dossiers/{services.claims.add_deposited()['id']}/recepisse"
    (mail,) = services.notices
    for state, reason, words in (
        ("sent", None, "vous a été envoyé par courriel"),
        ("temporary", "server_unreachable", "a du retard"),
        ("failed", "server_unreachable", "n’a pas pu vous être envoyé"),
        ("not_sent", "no_confirmed_address", "votre adresse n’est pas confirmée"),
        ("created", None, "va vous être envoyé"),
    ):
        mail |= {"state": state, "reason": reason, "sent_at": NOW if state == "sent" else None}
        assert is_french(show(f"receipt-{state}", path), words)
    services.down.add("notifier")
    assert is_french(show("receipt-notifier-away", path), "va vous être envoyé")


@pytest.mark.browser
@LANGUAGES
def test_lists_and_profile(live: Site, show: Any) -> None:
    for _ in range(21):
        live.services.claims.add_deposited()
    page = show("dossiers-page-1", "/dossiers")
    assert page.locator(".me-row").count() == 20
    page = show("dossiers-page-2", "/dossiers", ".me-pages a")
    assert page.locator(".me-row").count() == 1
    show("guichets", "/guichets")
    live.services.profile["pending_email"] = "nouvelle@exemple.be"
    show("profile-pending", "/profil")
    show("profile-resent", "/profil", "form[action='/profil/renvoi'] button")
    show("address-confirmed", "/confirmation/abc", "main form button")
    show("link-over", "/confirmation/old", "main form button")
    for status in (403, 413, 429, 502):
        show(f"error-{status}", f"/erreur/{status}")


def is_french(page: Page, words: str) -> bool:
    """Whether these words are on the page; in another language they are other words."""
    language = page.evaluate("document.documentElement.lang")
    return language != "fr" or page.get_by_text(words).first.is_visible()
