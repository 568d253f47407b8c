"""Who the end-to-end tests are about: each takes citizens of whom no other test has left a claim."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from espace_stack.testing.browser import PageFactory
from espace_stack.testing.platform import Platform
from login_simulator.citizens import Citizen, load
from tests.e2e.app import App, expect
from tests.e2e.canaries import remember_person
from tests.e2e.claims import reported_on_the_13th
from tests.e2e.mails import link
from tests.e2e.visitor import Visitor

NewApp = Callable[..., App]
NewVisitor = Callable[..., Visitor]


class Citizens:
    """Hands out demo citizens, by commune, each once."""

    def __init__(self, seen: set[str]) -> None:
        self._free = [c for c in load() if c.username.startswith("citoyen") and c.subject not in seen]

    def take(self, commune: str | None = None) -> Citizen:
        """A citizen nobody has had yet; of that commune (INS code), or of any with a PV of the 13th."""
        for citizen in self._free:
            if citizen.address.commune_ins == commune or (commune is None and reported_on_the_13th(citizen)):
                self._free.remove(citizen)
                remember_person(citizen)
                return citizen
        raise AssertionError(f"no demo citizen is left in commune {commune or 'with a PV of the 13th'}")


@pytest.fixture(scope="session")
def citizens(_platform: Platform) -> Citizens:
    """Those whom no earlier run on this platform has logged in."""
    return Citizens({subject for (subject,) in _platform.rows("identity", "select subject from sources")})


@pytest.fixture
def new_app(platform: Platform, citizens: Citizens) -> Iterator[NewApp]:
    """A logged-in application of a new citizen with a confirmed space."""
    opened: list[App] = []

    def make(commune: str | None = None, *, space: bool = True, means: str = "itsme") -> App:
        app = App(platform.public_url, citizens.take(commune)).login(means)
        opened.append(app)
        if space:
            confirm_space(platform, app)
        return app

    yield make
    for app in opened:
        app.http.close()


@pytest.fixture(scope="session")
def _idle() -> Iterator[list[App]]:
    """Applications of candidates who wait for a test."""
    idle: list[App] = []
    yield idle
    for app in idle:
        app.http.close()


@pytest.fixture
def candidate(platform: Platform, citizens: Citizens, _idle: list[App]) -> Iterator[App]:
    """A logged-in application of a citizen with a confirmed space and no claim.

    She serves other tests afterwards: what she has deposited is withdrawn.
    """
    if _idle:
        app = _idle.pop()
        app.refresh()
    else:
        app = App(platform.public_url, citizens.take()).login()
        confirm_space(platform, app)
    yield app
    platform.heal()
    app.refresh()
    for dossier in app.get("dossier/v1/dossiers?state=submitted&page_size=100")["items"]:
        expect(app.call("POST", f"dossier/v1/dossiers/{dossier['id']}/withdrawal", {}), 200)
    _idle.append(app)


@pytest.fixture
def new_visitor(platform: Platform, page_factory: PageFactory, citizens: Citizens) -> Iterator[NewVisitor]:
    """A browser of ``person``, or of a new citizen; further keywords are of the browser's page."""
    visitors: list[Visitor] = []

    def make(person: Citizen | None = None, *, keyboard: bool = False, **options: Any) -> Visitor:
        page = page_factory(**options)
        visitor = Visitor(
            platform,
            page,
            person or citizens.take(),
            javascript=options.get("javascript", True),
            keyboard=keyboard,
        )
        visitors.append(visitor)
        return visitor

    yield make
    for visitor in visitors:
        if not visitor.page.is_closed():
            visitor.remember_cookies()


def confirm_space(platform: Platform, app: App) -> None:
    """Give the private e-mail and follow the link that really arrives."""
    expect(app.call("PUT", "profile/v1/profile/email", {"email": app.email}), 200)
    token = link(platform, app).rsplit("/", 1)[1]
    expect(app.call("POST", "profile/v1/email-confirmations", {"token": token}), 200)
