"""A candidate in a real browser, following the user guide by what it calls things."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import FilePayload, Locator, Page, expect

from espace_stack.testing.platform import Platform
from login_simulator.citizens import Citizen
from tests.e2e import mails
from tests.e2e.canaries import remember_address, remember_cookie

TITLE = "Élections locales du 13 octobre 2024 - Introduction d'une réclamation"


class Mouse:
    """Points and clicks."""

    def press(self, target: Locator) -> None:
        target.click()

    def tick(self, target: Locator) -> None:
        target.check()

    def write(self, target: Locator, text: str) -> None:
        target.fill(text)

    def choose(self, target: Locator, value: str) -> None:
        target.select_option(value)


class Keyboard:
    """Goes from field to field by Tab, as far as it takes, and never touches the mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, target: Locator) -> None:
        self._reach(target, "(e) => e === document.activeElement")
        self.page.keyboard.press("Enter")

    def tick(self, target: Locator) -> None:
        """Space on a box; in a group of radio buttons the arrows choose."""
        self._reach(
            target,
            "(e) => e === document.activeElement || (e.type === 'radio' && "
            "document.activeElement.name === e.name)",
        )
        if target.get_attribute("type") != "radio":
            self.page.keyboard.press("Space")
        for _ in range(10):
            if target.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"the keys do not choose {target}")

    def write(self, target: Locator, text: str) -> None:
        self._reach(target, "(e) => e === document.activeElement")
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def choose(self, target: Locator, value: str) -> None:
        """The arrow goes down a list."""
        self._reach(target, "(e) => e === document.activeElement")
        for _ in range(target.locator("option").count()):
            if target.input_value() == value:
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"the keys do not choose {value}")

    def _reach(self, target: Locator, there: str) -> None:
        target.wait_for()
        for _ in range(120):
            if target.evaluate(there):
                assert self.page.evaluate("document.activeElement.matches(':focus-visible')")
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {target}")


class Visitor:
    """One citizen at one browser; each method is a step of the guide.

    ``inspect`` is called on each page that the visitor recognises.
    """

    def __init__(
        self, platform: Platform, page: Page, person: Citizen, *, javascript: bool, keyboard: bool = False
    ) -> None:
        self.platform = platform
        self.page = page
        self.person = person
        self.javascript = javascript
        self.hands: Mouse | Keyboard = Keyboard(page) if keyboard else Mouse()
        self.inspect: Callable[[Page], None] = lambda _: None
        page.context.on("request", lambda request: remember_address(request.url))

    def button(self, name: str) -> Any:
        """A button by exactly its words."""
        return self.page.get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Any:
        """A link by exactly its words."""
        return self.page.get_by_role("link", name=name, exact=True)

    def heading(self, words: str) -> None:
        """The page is the one with these words as its title."""
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(words)
        self.inspect(self.page)

    def log_in(self, means: str = "itsme") -> None:
        """« Me connecter », the means, the login source."""
        self.page.goto("/")
        self.inspect(self.page)
        self.hands.press(self.page.get_by_role("main").get_by_role("button", name="Me connecter"))
        self.choose_means(means)

    def choose_means(self, means: str) -> None:
        """The page of the six means, and the login source's own."""
        choice = self.page.locator(f"button[name=means][value={means}]")
        choice.wait_for()
        self.inspect(self.page)
        self.hands.press(choice)
        self.hands.choose(self.page.get_by_label("Citoyen de démonstration"), self.person.username)
        self.hands.press(self.button("Confirmer"))

    def enter(self) -> None:
        """Log in and come to the counter, with a space that is there already."""
        self.log_in()
        self.heading("Quoi de neuf dans Mon Espace ?")
        self.hands.tick(self.page.get_by_label("Ne plus afficher"))
        self.hands.press(self.button("continuer"))
        self.hands.press(self.button("Espace citoyen"))
        self.read_data_protection()

    def create_space(self) -> None:
        """News, cookies, choice of space, private profile, the mail and its button, the notice."""
        page = self.page
        self.heading("Quoi de neuf dans Mon Espace ?")
        self.hands.tick(page.get_by_label("Ne plus afficher"))
        self.hands.press(self.button("continuer"))
        self.hands.press(self.button("Accepter"))
        expect(self.button("Accepter")).to_have_count(0)
        self.inspect(page)
        self.hands.press(self.button("Espace citoyen"))
        address = page.get_by_label("Adresse courriel privée")
        expect(address).to_have_value(self.person.email)
        self.inspect(page)
        self.hands.press(self.button("Suivant"))
        self.heading("Un message vous a été envoyé")
        page.goto(mails.link(self.platform, self.person))
        self.inspect(page)
        self.hands.press(self.button("Confirmer mon adresse"))
        self.heading("Votre espace citoyen est créé")
        self.hands.press(page.get_by_role("button", name="Continuer"))
        self.read_data_protection()

    def read_data_protection(self) -> None:
        """The notice, and after it the counter's home."""
        box = self.page.get_by_label("Oui, j’ai pris connaissance")
        box.wait_for()
        self.inspect(self.page)
        self.hands.tick(box)
        self.hands.press(self.button("Continuer"))
        expect(self.link("Accueil")).to_have_attribute("aria-current", "page")
        self.inspect(self.page)

    def start_claim(self) -> None:
        """« Mes Dossiers », « Entamer une nouvelle démarche », the search, « Remplir »."""
        page = self.page
        self.hands.press(page.get_by_role("link", name="Mes Dossiers", exact=True))
        self.hands.press(page.get_by_role("button", name="Entamer une nouvelle démarche"))
        self.hands.write(page.get_by_label("Rechercher une démarche"), "réclamation")
        self.hands.press(self.button("Rechercher"))
        self.hands.press(page.get_by_role("link", name=TITLE))
        self.hands.press(self.button("Remplir"))
        self.heading(TITLE)

    def fill(self, *, drc: str | None = None) -> None:
        """First with errors, which show at their fields; then as it should be."""
        page = self.page
        expect(page.get_by_label("Nom", exact=True)).to_have_value(self.person.family_name)
        self.hands.press(self.button("Étape suivante"))
        summary = page.get_by_role("alert")
        expect(summary).to_contain_text("Un problème est à corriger")
        self.hands.press(summary.get_by_role("link").first)
        expect(page.locator("#sworn_candidate-error")).to_be_visible()
        self.hands.tick(page.get_by_label("communales", exact=True))
        self.hands.write(page.get_by_label("Liste électorale"), "Liste 7")
        if drc is None:
            self.hands.tick(page.get_by_label("mon dossier est complet"))
        else:
            self.hands.tick(page.get_by_label(re.compile("je ne dispose pas de l.ensemble des pièces")))
            self.hands.write(page.get_by_label("Pièces que vous attendez encore"), drc)
        self.hands.tick(page.get_by_label("avoir été candidat"))
        self.hands.tick(page.get_by_label("sont exactes et complètes"))
        self.hands.press(self.button("Étape suivante"))
        self.heading("Relisez vos réponses")
        self.hands.press(self.button("Valider"))
        self.heading("Pièces jointes")

    def declaration(self) -> bytes:
        """The declaration, opened by its link: Chromium without a viewer saves it."""
        with self.page.expect_download() as saved:
            self.hands.press(self.link("Votre déclaration (PDF)"))
        return saved.value.path().read_bytes()

    def slot(self, title: str) -> Any:
        """The part of the page that is about one slot."""
        return self.page.get_by_role("region", name=title)

    def open_slot(self, title: str) -> None:
        """« Ajouter un fichier » beside the slot's title."""
        self.hands.press(self.slot(title).get_by_role("button", name="Ajouter un fichier"))
        self.heading(title)

    def pick(self, file: Path | FilePayload) -> None:
        """Choose a file in the file picker: « Sélectionnez », or the plain field.

        A payload may have a name that no file can have.
        """
        if self.javascript:
            with self.page.expect_file_chooser() as chooser:
                self.hands.press(self.button("Sélectionnez"))
            chooser.value.set_files(file)
        else:
            self.page.get_by_label("Sélectionnez un fichier").set_input_files(file)
            self.hands.press(self.button("Envoyer le fichier"))

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
        self.hands.press(self.page.get_by_role("button", name="Fermer"))

    def submit(self) -> str:
        """Submit, « Confirmer »; the number on the receipt."""
        self.hands.press(self.page.get_by_role("button", name="Soumettre mon dossier"))
        self.heading("Vérifiez votre dossier")
        self.hands.press(self.button("Confirmer"))
        self.heading("Votre dossier est introduit")
        found = re.search(r"ME-\d{4}-\d{6,}-\d", self.page.get_by_role("main").inner_text())
        assert found
        return found.group()

    def dossiers(self) -> None:
        """« Mes Dossiers »."""
        self.hands.press(self.link("Mes Dossiers").first)
        self.heading("Mes Dossiers")

    def remember_cookies(self) -> None:
        """No log may hold them."""
        for cookie in self.page.context.cookies():
            remember_cookie(cookie.get("name", ""), cookie.get("value", ""))
