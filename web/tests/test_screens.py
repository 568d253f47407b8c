"""Every screen in a real browser: accessible, within 320 px, one heading, and its picture kept to look at.

The services are played by the stand-in; the whole platform is driven by the tests in ``tests/e2e``.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from espace.testing import until
from web.tests.site import LANGUAGES, PDF, Site, look, screen


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
@LANGUAGES
def test_pages_for_everyone(live: Site, page: Page, language: str) -> None:
    for path in ("/", "/cookies", "/vie-privee", "/accessibilite", "/api/", "/accueil", "/nulle-part"):
        page.goto(live.url + path)
        assert page.evaluate("document.documentElement.lang") == language
        screen(page, f"30-{language}{path.replace('/', '-')}")


@pytest.mark.browser
def test_form_without_javascript_shows_both_groups(live: Site, plain_page: Page) -> None:
    dossier = live.services.add_dossier()
    live.enter(plain_page, f"/dossiers/{dossier['id']}/formulaire")
    assert plain_page.get_by_label("Liste électorale").is_visible()
    assert plain_page.get_by_label("District").is_visible()


@pytest.mark.browser
def test_session_about_to_end_says_so_and_can_be_kept(live: Site, page: Page) -> None:
    page.clock.install()
    live.enter(page, "/accueil")
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
    dossier = live.services.claims.add_validated()
    dossier["attachments"].clear()
    live.enter(page, f"/dossiers/{dossier['id']}/pieces/autres")
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
    dossier = live.services.claims.add_validated()
    file = tmp_path / "a.pdf"
    file.write_bytes(PDF)
    live.enter(page, f"/dossiers/{dossier['id']}/pieces/autres")
    live.services.down.add("documents")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Réessayer").wait_for()
    look(page, "32-upload-failed")
    live.services.down.clear()
    page.get_by_role("button", name="Réessayer").click()
    page.get_by_text("Le fichier est ajouté.").wait_for()
    assert len(dossier["attachments"]) == 2


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False])
def test_another_language_keeps_the_page_and_what_was_typed(
    live: Site, page: Page, plain_page: Page, script: bool
) -> None:
    dossier = live.services.add_dossier()
    path = f"/dossiers/{dossier['id']}/formulaire"
    seen = page if script else plain_page
    live.enter(seen, path)
    seen.get_by_label("Téléphone").fill("0470 12 34 56")
    seen.locator("summary", has_text="FR").click()
    seen.get_by_role("button", name="Deutsch").click()
    seen.locator("html[lang=de]").wait_for()
    assert seen.url == live.url + path
    assert seen.get_by_label("Téléphone").input_value() == "0470 12 34 56"
    assert dossier["values"]["phone"] == "0470 12 34 56"
    assert live.services.profile["language"] == "de"


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False])
def test_accepting_the_cookies_keeps_what_was_typed(
    live: Site, page: Page, plain_page: Page, script: bool
) -> None:
    seen = page if script else plain_page
    live.enter(seen, "/profil")
    seen.get_by_label("Adresse à laquelle").fill("nouvelle@exemple.be")
    seen.get_by_role("button", name="Accepter").click()
    seen.get_by_role("button", name="Accepter").wait_for(state="detached")
    expect(seen.get_by_label("Adresse à laquelle")).to_have_value("nouvelle@exemple.be")
    assert live.services.profile["pending_email"] is None


@pytest.mark.browser
def test_what_was_typed_just_before_leaving_is_saved(live: Site, page: Page) -> None:
    dossier = live.services.add_dossier()
    live.enter(page, f"/dossiers/{dossier['id']}/formulaire")
    page.get_by_label("Téléphone").fill("0470 12 34 56")
    page.get_by_role("link", name="Accueil").click()
    page.wait_for_url("**/accueil")
    until("the saved draft", lambda: dossier["values"].get("phone") == "0470 12 34 56")
