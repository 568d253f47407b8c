"""Citizens for the end-to-end tests: each test takes persons that no other test has used."""

import re
from collections.abc import Callable, Iterator

import pytest

from espace.testing import until
from espace_stack.mailbox.client import Message
from espace_stack.testing.platform import Platform
from login_simulator.citizens import Citizen, load
from tests.e2e.app import App, expect

LINK = re.compile(r"https?://\S+/confirmation/\S+")
CHARLEROI = "52011"  # its PV is of 14 October, as are those of the province of Liège; all others: 13 October


class Citizens:
    """Hands out demo citizens, by commune, each once."""

    def __init__(self, seen: set[str]) -> None:
        self._free = [c for c in load() if c.username.startswith("citoyen") and c.email not in seen]

    def take(self, commune: str | None = None) -> Citizen:
        """A citizen nobody has had yet; of that commune (INS code), or of any with a PV of the 13th."""
        for citizen in self._free:
            ins = citizen.address.commune_ins
            if ins == commune or (commune is None and ins != CHARLEROI and ins[0] != "6"):
                self._free.remove(citizen)
                return citizen
        raise AssertionError(f"no demo citizen is left in commune {commune or 'with a PV of the 13th'}")


@pytest.fixture(scope="session")
def citizens(_platform: Platform) -> Citizens:
    """Those whom no earlier run on this platform has written to."""
    return Citizens({address for message in _platform.mail.messages() for address in message.to})


@pytest.fixture
def new_app(platform: Platform, citizens: Citizens) -> Iterator[Callable[..., App]]:
    """A logged-in application of a new citizen with a confirmed space."""
    opened: list[App] = []

    def make(commune: str | None = None, space: bool = True) -> App:
        person = citizens.take(commune)
        app = App(platform.public_url).login(person.username)
        app.email = person.email
        opened.append(app)
        if space:
            confirm_space(platform, app)
        return app

    yield make
    for app in opened:
        app.http.close()


def confirm_space(platform: Platform, app: App) -> None:
    """Give the private e-mail and follow the link that really arrives."""
    expect(app.call("PUT", "profile/v1/profile/email", {"email": app.email}), 200)
    message = mail(platform, app, "/confirmation/")
    found = LINK.search(message.text or "")
    assert found
    token = found.group().rsplit("/", 1)[1]
    expect(app.call("POST", "profile/v1/email-confirmations", {"token": token}), 200)


def mails(platform: Platform, app: App, words: str) -> list[Message]:
    """The messages to this citizen whose text has these words."""
    return [m for m in platform.mail.messages(to=app.email) if words in (m.text or "")]


def mail(platform: Platform, app: App, words: str, seconds: float = 30) -> Message:
    """The one message with these words, waited for."""
    found = until(f"a mail with {words!r} to {app.email}", lambda: mails(platform, app, words), seconds)
    assert len(found) == 1, [m.subject for m in found]
    return found[0]
