"""The counter's pages as a browser without scripts meets them."""

import hashlib
from urllib.parse import urlsplit

import httpx

from espace.auth import tls
from espace_stack.testing.platform import Platform
from login_simulator.citizens import Citizen
from tests.e2e import mails
from tests.e2e.app import choose_means
from tests.e2e.walker import Walker

SESSION = "__Host-mes"
HOST = "localhost.local"
"""What the cookie jar of Python calls the gateway's host."""


class Counter(Walker):
    """A walker at the gateway's pages."""

    def __init__(self, platform: Platform) -> None:
        super().__init__()
        self.platform = platform
        self.origin = platform.public_url

    def log_in(self, person: Citizen, means: str = "itsme") -> "Counter":
        """From « Me connecter » to the first page of the session."""
        self.open(f"{self.origin}/").open("/connexion")
        choose_means(self, means, person.username)
        return self

    def enter(self, person: Citizen, means: str = "itsme") -> "Counter":
        """Log in and pass the way in, creating the space where there is none, to the counter's home."""
        self.log_in(person, means)
        for _ in range(6):
            match urlsplit(self.address).path:
                case "/accueil":
                    return self
                case "/espace":
                    self.submit(("espace", "citoyen"))
                case "/espace/profil-prive":
                    self.submit(courriel=person.email)
                case "/espace/message-envoye":
                    self.open(mails.link(self.platform, person))
                    self.submit(to=urlsplit(self.address).path)
                    self.open("/suite")
                case _:  # the news, and the data-protection notice
                    self.submit(masquer="1")
        raise AssertionError(f"the way in ends at {self.address}: {self.text()[:500]}")

    @property
    def cookie(self) -> str:
        """The session's cookie."""
        found = self.http.cookies.get(SESSION, domain=HOST)
        assert found
        return found

    def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """Send fields as this browser's page would; headers by keyword, underscores for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(self.origin + path, data=fields, headers={"Origin": self.origin, **named})


def answer_to(platform: Platform, cookie: str, path: str = "/accueil") -> httpx.Response:
    """What a page answers to a browser that has just this session cookie; redirects are not followed."""
    return httpx.get(
        platform.public_url + path,
        headers={"Cookie": f"{SESSION}={cookie}"},
        verify=tls.context(platform.public_url),
    )


def is_a_strangers(answer: httpx.Response) -> bool:
    """Whether it is what somebody gets who is not logged in: 401 and the way to the login.

    A living session that has not passed the way in gets redirects within the counter.
    """
    return answer.status_code == 401 and "/connexion?retour=" in answer.text


def row_of(cookie: str) -> str:
    """The condition that finds the cookie's session in web's database."""
    return f"token_hash = '\\x{hashlib.sha256(cookie.encode()).hexdigest()}'"
