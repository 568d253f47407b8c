"""Every screen in a real browser: accessible, within 320 px, one heading, and its picture kept to look at.

The services are played by the stand-in; the whole platform is driven by the tests in ``tests/e2e``.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import make_server

PICTURES = Path(os.environ.get("ESPACE_SCREENSHOTS", "test-results/screens"))
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PDF = b"%PDF-1.7 a signed claim"


class Site:
    """The frontend on a port, with a provider that says yes and a store that takes all."""

    def __init__(self, build: Any, database_url: str, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://localhost:{port}"
        clock = folder / "clock.json"
        clock.write_text('{"offset_seconds": -66000000, "frozen_at": null}')
        self.app, self.services = build(database_url, self.url, clock)
        outside = {"/identity": self.provider, "/espace-documents": self.store}
        self.server = make_server("localhost", port, DispatcherMiddleware(self.app, outside), threaded=True)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def provider(self, environ: Any, start: Any) -> list[bytes]:
        asked = parse_qs(environ["QUERY_STRING"])
        if environ["PATH_INFO"] == "/logout":
            start("303 See Other", [("Location", asked["post_logout_redirect_uri"][0])])
            return []
        code = asked["state"][0][:12]
        self.services.nonces[code] = asked["nonce"][0]
        answer = {"code": code, "state": asked["state"][0], "iss": f"{self.url}/identity"}
        start("303 See Other", [("Location", f"{asked['redirect_uri'][0]}?{urlencode(answer)}")])
        return []

    def store(self, environ: Any, start: Any) -> list[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.services.stored["last"] = body
        start("204 No Content", [])
        return []

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.app.extensions["espace_web"].database.dispose()


@pytest.fixture
def live(
    fresh_database: Callable[[str], str], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Site]:
    site = Site(request.getfixturevalue("builder"), fresh_database("espace_web"), tmp_path)
    yield site
    site.close()


@pytest.fixture
def language() -> str:
    return "fr"


@pytest.fixture
def page(chromium: Browser, language: str) -> Iterator[Page]:
    context = chromium.new_context(locale=f"{language}-BE", viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    problems: list[str] = []
    opened.on("console", lambda message: problems.append(message.text) if is_fault(message.text) else None)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    context.close()
    assert problems == []


def is_fault(text: str) -> bool:
    return "Content Security Policy" in text or "Refused" in text


def look(page: Page, name: str, *, wide: int = 1280) -> None:
    """Keep a picture, then hold the page against what every page must be."""
    page.set_viewport_size({"width": wide, "height": 800 if wide > 400 else 568})
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}-{wide}.png", full_page=True)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= wide, f"{name}: {width} px wide at {wide}"
    if wide > 400:
        assert page.locator("h1").count() == 1, name
        found = Axe().run(page, options={"runOnly": TAGS})
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"


def screen(page: Page, name: str) -> None:
    look(page, name)
    look(page, name, wide=320)
    page.set_viewport_size({"width": 1280, "height": 800})


@pytest.mark.browser
def test_journey_with_javascript(live: Site, page: Page, tmp_path: Path) -> None:
    services = live.services
    services.profile |= {"space": "none", "private_email": None}
    file = tmp_path / "réclamation signée.pdf"
    file.write_bytes(PDF)

    page.goto(live.url)
    screen(page, "01-home")
    page.get_by_role("button", name="Accepter").click()
    page.locator("main").get_by_role("button", name="Me connecter").click()
    page.wait_for_url("**/nouveautes")
    screen(page, "02-news")
    page.get_by_label("Ne plus afficher").check()
    page.get_by_role("button", name="continuer").click()
    screen(page, "03-spaces")
    page.get_by_role("button", name="Espace citoyen").click()
    page.get_by_label("Adresse courriel privée *").fill("pas une adresse")
    page.get_by_role("button", name="Suivant").click()
    screen(page, "04-private-profile-error")
    page.get_by_label("Adresse courriel privée *").fill("lucie@exemple.be")
    page.get_by_role("button", name="Suivant").click()
    screen(page, "05-message-sent")
    page.goto(f"{live.url}/confirmation/abc")
    screen(page, "06-confirm")
    page.get_by_role("button", name="Confirmer mon adresse").click()
    screen(page, "07-confirmed")
    page.get_by_role("button", name="Continuer").click()
    screen(page, "08-data-protection")
    page.get_by_label("Oui, j’ai pris connaissance").check()
    page.get_by_role("button", name="Continuer").click()
    screen(page, "09-home")
    page.get_by_role("link", name="Mes Dossiers", exact=True).click()
    screen(page, "10-dossiers-empty")
    page.get_by_role("button", name="Entamer une nouvelle démarche").click()
    page.get_by_label("Rechercher une démarche").fill("réclamation")
    page.get_by_role("button", name="Rechercher").click()
    screen(page, "11-catalogue")
    page.get_by_role("link", name="Introduction d'une réclamation").click()
    screen(page, "12-procedure")
    page.get_by_role("button", name="Remplir").click()
    screen(page, "13-form")
    assert page.get_by_label("Liste électorale").is_hidden()
    page.get_by_label("communales").check()
    assert page.get_by_label("Liste électorale").is_visible()
    page.get_by_text("Enregistré à").wait_for()
    page.get_by_role("button", name="Étape suivante").click()
    page.get_by_text("Un problème est à corriger").wait_for()
    assert page.evaluate("document.activeElement.className").startswith("govuk-error-summary")
    screen(page, "14-form-errors")
    page.get_by_label("Liste électorale").fill("Liste 7")
    page.get_by_label("je ne dispose pas").check()
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Étape suivante").click()
    page.wait_for_url("**/resume")
    screen(page, "15-summary")
    page.get_by_role("button", name="Valider").click()
    screen(page, "16-pieces")
    page.get_by_role("button", name="Ajouter un fichier").first.click()
    screen(page, "17-upload")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Sélectionnez").click()
    chooser.value.set_files(file)
    page.get_by_text("Le fichier est ajouté.").wait_for()
    assert PDF in services.stored["last"]
    screen(page, "18-uploaded")
    page.get_by_role("button", name="Fermer").click()
    page.get_by_role("button", name="Ajouter un fichier").last.click()
    drop(page, "annexe 😀.pdf")
    page.get_by_text("Le fichier est ajouté.").wait_for()
    page.get_by_role("button", name="Fermer").click()
    screen(page, "19-pieces-full")
    page.get_by_role("button", name="Soumettre mon dossier").click()
    screen(page, "20-check")
    page.get_by_role("button", name="Confirmer").dblclick()
    page.wait_for_url("**/recepisse")
    screen(page, "21-receipt")
    page.get_by_role("link", name="Mes Dossiers").last.click()
    screen(page, "22-dossiers-action")
    page.get_by_role("link", name="Introduction d'une réclamation").click()
    screen(page, "23-dossier-drc")
    page.get_by_role("button", name="Répondre à la demande").click()
    page.get_by_role("button", name="Ajouter un fichier").click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("Le fichier est ajouté.").wait_for()
    page.get_by_role("button", name="Fermer").click()
    screen(page, "24-drc")
    page.get_by_role("button", name="Envoyer ma réponse").click()
    screen(page, "25-drc-check")
    page.get_by_role("button", name="Confirmer").click()
    screen(page, "26-drc-answered")
    page.locator("summary", has_text="Lucie").click()
    look(page, "27-profile-menu")
    page.get_by_role("link", name="Gérer votre profil").click()
    screen(page, "28-profile")
    page.locator("summary", has_text="Lucie").click()
    page.get_by_role("button", name="Vous déconnecter").click()
    page.wait_for_url("**/deconnecte")
    screen(page, "29-signed-out")


def drop(page: Page, name: str) -> None:
    """A file let fall into the dashed rectangle."""
    transfer = page.evaluate_handle(
        """(name) => { const data = new DataTransfer();
        data.items.add(new File(["%PDF-1.7 more"], name, {type: "application/pdf"})); return data; }""",
        name,
    )
    for kind in ("dragenter", "dragover", "drop"):
        page.dispatch_event("[data-drop]", kind, {"dataTransfer": transfer})


@pytest.mark.browser
@pytest.mark.parametrize("language", ["fr", "nl", "de", "en"])
def test_pages_for_everyone(live: Site, page: Page, language: str) -> None:
    for path in ("/", "/cookies", "/vie-privee", "/accessibilite", "/api/", "/accueil", "/nulle-part"):
        page.goto(live.url + path)
        assert page.evaluate("document.documentElement.lang") == language
        screen(page, f"30-{language}{path.replace('/', '-')}")


@pytest.mark.browser
def test_form_without_javascript_shows_both_groups(live: Site, chromium: Browser) -> None:
    live.services.skip_welcome()
    dossier = live.services.add_dossier()
    context = chromium.new_context(java_script_enabled=False, locale="fr-BE")
    page = context.new_page()
    page.goto(f"{live.url}/connexion?retour=/dossiers/{dossier['id']}/formulaire")
    page.get_by_role("button", name="Espace citoyen").click()
    page.wait_for_url("**/formulaire")
    assert page.get_by_label("Liste électorale").is_visible()
    assert page.get_by_label("District").is_visible()
    context.close()


@pytest.mark.browser
def test_session_about_to_end_says_so_and_can_be_kept(live: Site, page: Page) -> None:
    live.services.skip_welcome()
    page.clock.install()
    page.goto(f"{live.url}/connexion")
    page.get_by_role("button", name="Espace citoyen").click()
    page.wait_for_url("**/accueil")
    page.clock.fast_forward("26:00")
    stay = page.get_by_role("button", name="Rester connecté")
    stay.wait_for()
    look(page, "31-expiry")
    stay.click()
    stay.wait_for(state="hidden")
    page.clock.fast_forward("31:00")
    page.get_by_text("Votre session est terminée.").wait_for()


@pytest.mark.browser
def test_files_chosen_while_others_are_on_their_way_all_arrive(live: Site, page: Page) -> None:
    live.services.skip_welcome()
    dossier = live.services.add_dossier()
    dossier |= {"state": "validated", "actions": ["edit", "attach"], "validated_at": "2024-10-15T07:00:00Z"}
    page.goto(f"{live.url}/connexion?retour=/dossiers/{dossier['id']}/pieces/autres")
    page.get_by_role("button", name="Espace citoyen").click()
    page.evaluate(
        """() => { for (const name of ["a.pdf", "b.pdf", "c.pdf"]) {
        const data = new DataTransfer();
        data.items.add(new File(["%PDF-1.7 more"], name, {type: "application/pdf"}));
        const event = new DragEvent("drop", {dataTransfer: data});
        document.querySelector("[data-drop]").dispatchEvent(event); } }"""
    )
    page.get_by_text("Le fichier est ajouté.").wait_for()
    assert [piece["filename"] for piece in dossier["attachments"]] == ["a.pdf", "b.pdf", "c.pdf"]


@pytest.mark.browser
def test_failed_upload_can_be_tried_again(live: Site, page: Page, tmp_path: Path) -> None:
    live.services.skip_welcome()
    dossier = live.services.add_dossier()
    dossier |= {"state": "validated", "actions": ["edit", "attach"], "validated_at": "2024-10-15T07:00:00Z"}
    file = tmp_path / "a.pdf"
    file.write_bytes(PDF)
    page.goto(f"{live.url}/connexion?retour=/dossiers/{dossier['id']}/pieces/reclamation")
    page.get_by_role("button", name="Espace citoyen").click()
    live.services.down.add("documents")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Réessayer").wait_for()
    look(page, "32-upload-failed")
    live.services.down.clear()
    page.get_by_role("button", name="Réessayer").click()
    page.get_by_text("Le fichier est ajouté.").wait_for()
    assert len(dossier["attachments"]) == 1
