"""What only shows behind the real gateway, which puts pages of its own in the place of some answers."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from espace_stack.parts.programs import GatewayPart
from espace_stack.ports import Ports
from web.tests.site import Site

MEGABYTE = 1024 * 1024


@pytest.fixture
def behind(fresh_database: Callable[[str], str], tmp_path: Path) -> Iterator[Site]:
    """The frontend behind a gateway."""
    ports = Ports(tmp_path / "ports.json")
    site = Site(fresh_database("espace_web"), tmp_path, f"http://localhost:{ports['gateway']}")
    gateway = GatewayPart(tmp_path, ports, lambda _name: site.inside, rate=500)
    gateway.start()
    yield site
    gateway.kill()
    site.close()


@pytest.mark.browser
@pytest.mark.parametrize(
    ("megabytes", "words", "here"),
    [
        (20.5, "Le fichier dépasse la taille maximale. Choisissez un fichier plus petit.", True),
        (30, "La taille maximale d’un fichier est de 20 Mo.", False),
    ],
)
def test_file_that_is_too_large_is_told_without_javascript(
    behind: Site, plain_page: Page, tmp_path: Path, megabytes: float, words: str, here: bool
) -> None:
    dossier = behind.services.claims.add_validated()
    file = tmp_path / "grand.pdf"
    file.write_bytes(b"x" * int(megabytes * MEGABYTE))
    behind.enter(plain_page, f"/dossiers/{dossier['id']}/pieces/autres")
    plain_page.locator("input[type=file]").set_input_files(file)
    plain_page.get_by_role("button", name="Envoyer le fichier").click()
    plain_page.get_by_text(words).first.wait_for()
    assert (plain_page.locator("h1").inner_text() == "Autres documents") == here
    assert behind.services.stored == {}


@pytest.mark.browser
def test_messages_asked_for_too_often_are_told_on_a_page_of_ours(behind: Site, plain_page: Page) -> None:
    behind.services.profile["pending_email"] = "nouvelle@exemple.be"
    behind.services.too_many_messages = True
    behind.enter(plain_page, "/profil")
    plain_page.get_by_role("button", name="Renvoyer le message").click()
    plain_page.get_by_text("Plusieurs messages vous ont été envoyés dans l’heure.").wait_for()
