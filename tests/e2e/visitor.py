"""A candidate in a real browser, following the user guide by what it calls things."""

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from espace_stack.testing.platform import Platform
from login_simulator.citizens import Citizen
from tests.e2e.conftest import LINK
from tests.e2e.waiting import until

TITLE = "Élections locales du 13 octobre 2024 - Introduction d'une réclamation"


class Visitor:
    """One citizen at one browser; each method is a step of the guide."""

    def __init__(self, platform: Platform, page: Page, person: Citizen, *, javascript: bool) -> None:
        self.platform = platform
        self.page = page
        self.person = person
        self.javascript = javascript

    def button(self, name: str) -> Any:
        """A button by exactly its words."""
        return self.page.get_by_role("button", name=name, exact=True)

    def heading(self, words: str) -> None:
        """The page is the one with these words as its title."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(words)

    def log_in(self, means: str = "itsme") -> None:
        """« Me connecter », the means, the login source."""
        self.page.goto("/")
        self.page.get_by_role("main").get_by_role("button", name="Me connecter").click()
        self.page.locator(f"button[name=means][value={means}]").click()
        self.page.get_by_label("Citoyen de démonstration").select_option(self.person.username)
        self.button("Confirmer").click()

    def create_space(self) -> None:
        """News, cookies, choice of space, private profile, the mail and its button, the notice."""
        page = self.page
        self.heading("Quoi de neuf dans Mon Espace ?")
        page.get_by_label("Ne plus afficher").check()
        self.button("continuer").click()
        self.button("Accepter").click()
        expect(self.button("Accepter")).to_have_count(0)
        self.button("Espace citoyen").click()
        address = page.get_by_label("Adresse courriel privée")
        expect(address).to_have_value(self.person.email)
        self.button("Suivant").click()
        self.heading("Un message vous a été envoyé")
        page.goto(self.link_in_mail())
        self.button("Confirmer mon adresse").click()
        self.heading("Votre espace citoyen est créé")
        page.get_by_role("button", name="Continuer").click()
        page.get_by_label("Oui, j’ai pris connaissance").check()
        self.button("Continuer").click()
        expect(page.get_by_role("link", name="Accueil", exact=True)).to_have_attribute("aria-current", "page")

    def link_in_mail(self) -> str:
        """The address in the message that really arrived."""

        def link() -> str | None:
            for message in self.platform.mail.messages(to=self.person.email):
                if found := LINK.search(message.text or ""):
                    return found.group()
            return None

        return until("the mail with the link", link)

    def start_claim(self) -> None:
        """« Mes Dossiers », « Entamer une nouvelle démarche », the search, « Remplir »."""
        page = self.page
        page.get_by_role("link", name="Mes Dossiers", exact=True).click()
        page.get_by_role("button", name="Entamer une nouvelle démarche").click()
        page.get_by_label("Rechercher une démarche").fill("réclamation")
        self.button("Rechercher").click()
        page.get_by_role("link", name=TITLE).click()
        self.button("Remplir").click()
        self.heading(TITLE)

    def fill(self, *, drc: str | None = None) -> None:
        """First with errors, which show at their fields; then as it should be."""
        page = self.page
        expect(page.get_by_label("Nom", exact=True)).to_have_value(self.person.family_name)
        self.button("Étape suivante").click()
        summary = page.get_by_role("alert")
        expect(summary).to_contain_text("Un problème est à corriger")
        summary.get_by_role("link").first.click()
        expect(page.locator("#sworn_candidate-error")).to_be_visible()
        page.get_by_label("communales", exact=True).check()
        page.get_by_label("Liste électorale").fill("Liste 7")
        if drc is None:
            page.get_by_label("mon dossier est complet").check()
        else:
            page.get_by_label(re.compile("je ne dispose pas de l.ensemble des pièces")).check()
            page.get_by_label("Pièces que vous attendez encore").fill(drc)
        page.get_by_label("avoir été candidat").check()
        page.get_by_label("sont exactes et complètes").check()
        self.button("Étape suivante").click()
        self.heading("Relisez vos réponses")
        self.button("Valider").click()
        self.heading("Pièces jointes")

    def declaration(self) -> bytes:
        """The declaration, as the link on the page serves it."""
        href = self.page.get_by_role("link", name="Votre déclaration (PDF)").get_attribute("href")
        answer = self.page.request.get(f"{self.platform.public_url}{href}")
        assert answer.status == 200, answer.status
        return answer.body()

    def slot(self, title: str) -> Any:
        """The part of the page that is about one slot."""
        return self.page.get_by_role("region", name=title)

    def open_slot(self, title: str) -> None:
        """« Ajouter un fichier » beside the slot's title."""
        self.slot(title).get_by_role("button", name="Ajouter un fichier").click()
        self.heading(title)

    def pick(self, path: Path) -> None:
        """Choose a file in the file picker: « Sélectionnez », or the plain field."""
        if self.javascript:
            with self.page.expect_file_chooser() as chooser:
                self.button("Sélectionnez").click()
            chooser.value.set_files(path)
        else:
            self.page.get_by_label("Sélectionnez un fichier").set_input_files(path)
            self.button("Envoyer le fichier").click()

    def drop(self, path: Path) -> None:
        """Drag a file over the dashed rectangle and let it go there, as the browser itself does it."""
        box = self.page.locator("[data-drop]").bounding_box()
        assert box
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        devtools = self.page.context.new_cdp_session(self.page)
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            devtools.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})
        devtools.detach()

    def sees_file(self, name: str) -> None:
        """The file is in the list of what was added."""
        expect(self.page.locator(".me-files").get_by_role("link", name=name)).to_be_visible()

    def close(self) -> None:
        """« Fermer »."""
        self.page.get_by_role("button", name="Fermer").click()

    def submit(self) -> str:
        """Submit, « Confirmer »; the number on the receipt."""
        self.page.get_by_role("button", name="Soumettre mon dossier").click()
        self.heading("Vérifiez votre dossier")
        self.button("Confirmer").click()
        self.heading("Votre dossier est introduit")
        found = re.search(r"ME-\d{4}-\d{6,}-\d", self.page.get_by_role("main").inner_text())
        assert found
        return found.group()
