"""A browser and the house it walks through."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from flask import Flask
from joserfc import jwt
from joserfc.jwk import KeySet

from espace.db import Database
from identity_service.settings import Settings

PUBLIC = "http://localhost:8080"
ISSUER = f"{PUBLIC}/identity"
SOURCE = "http://127.0.0.1:8081"
CALLBACK = f"{PUBLIC}/connexion/retour"
VERIFIER = "v" * 64
CLIENTS = {
    "clients": [
        {
            "client_id": "web",
            "client_secret": "web-secret",
            "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
            "redirect_uris": [CALLBACK],
            "post_logout_redirect_uris": [f"{PUBLIC}/deconnecte"],
            "backchannel_logout_uri": "http://web.test/connexion/backchannel",
            "scope": "openid profile email address national_number",
            "audiences": ["profile"],
        },
        {
            "client_id": "mobile",
            "client_secret": None,
            "grant_types": ["authorization_code", "refresh_token"],
            "redirect_uris": ["https://app.example/callback"],
            "scope": "openid profile",
        },
        {
            "client_id": "synthetic",
            "client_secret": "synthetic-secret",
            "grant_types": ["authorization_code"],
            "redirect_uris": [f"{PUBLIC}/identity/synthetic/callback"],
            "scope": "openid",
        },
        {
            "client_id": "dossier",
            "client_secret": "dossier-secret",
            "grant_types": ["client_credentials"],
            "audiences": ["identity", "profile"],
        },
    ]
}


def new_key() -> str:
    """A signing key in PEM form."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass
class Browser:
    """Follows what a browser would: cookies (secure ones too, as on localhost), forms, redirects by hand."""

    http: httpx.Client
    cookies: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, url: str, **options: Any) -> httpx.Response:
        options.setdefault("headers", {})["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        response = self.http.request(method, url, **options)
        for line in response.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value = rest.partition(";")[0].strip('"')
            if value and "Max-Age=0" not in line:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return response

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.send("GET", url, **options)

    def post(self, url: str, data: dict[str, str], **options: Any) -> httpx.Response:
        return self.send("POST", url, data=data, **options)


@dataclass
class House:
    """Identity and its login source, and how a test goes through them."""

    app: Flask
    simulator: Flask
    settings: Settings
    database: Database

    def __post_init__(self) -> None:
        self.http = httpx.Client(transport=httpx.WSGITransport(app=self.app), base_url=PUBLIC)
        self.source = httpx.Client(transport=httpx.WSGITransport(app=self.simulator), base_url=SOURCE)

    def browser(self) -> Browser:
        return Browser(self.http)

    def authorize(self, browser: Browser, **changes: Any) -> httpx.Response:
        query = {
            "response_type": "code",
            "client_id": "web",
            "redirect_uri": CALLBACK,
            "scope": "openid profile email address national_number",
            "state": "client-state",
            "nonce": f"nonce-{len(browser.cookies)}-{id(changes)}-{next(_counter)}",
            "code_challenge": create_s256_code_challenge(VERIFIER),
            "code_challenge_method": "S256",
            **changes,
        }
        return browser.get("/identity/authorize", params={k: v for k, v in query.items() if v is not None})

    def choose(self, browser: Browser, authorized: httpx.Response, means: str = "itsme") -> str:
        """Choose a means; the source's address."""
        assert authorized.status_code == 303, authorized.text
        page = browser.get(authorized.headers["location"])
        assert page.status_code == 200, page.text
        sent = browser.post("/identity/login", {**fields(page.text), "means": means})
        assert sent.status_code == 303, sent.text
        return sent.headers["location"]

    def confirm(self, address: str, means: str = "itsme", username: str = "lucie") -> str:
        """Confirm at the simulator; the address it sends the browser back to."""
        answer = self.source.post(address, data={"means": means, "username": username, "action": "confirm"})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def log_in(
        self, browser: Browser, username: str = "lucie", means: str = "itsme", **changes: Any
    ) -> dict[str, str]:
        """The whole way; the query of the client's callback."""
        address = self.choose(browser, self.authorize(browser, **changes), means)
        back = browser.get(self.confirm(address, means, username))
        assert back.status_code == 302, back.text
        return query_of(back)

    def token(self, client: tuple[str, str] | None = ("web", "web-secret"), **form: Any) -> httpx.Response:
        auth = httpx.BasicAuth(*client) if client else httpx.Auth()
        return self.http.post("/identity/token", data=form, auth=auth)

    def redeem(
        self, code: str, client: tuple[str, str] | None = ("web", "web-secret"), **changes: Any
    ) -> httpx.Response:
        form = {"redirect_uri": CALLBACK, "code_verifier": VERIFIER, **changes}
        kept = {name: value for name, value in form.items() if value}
        return self.token(client, grant_type="authorization_code", code=code, **kept)

    def refresh(self, token: str, **options: Any) -> httpx.Response:
        return self.token(grant_type="refresh_token", refresh_token=token, **options)

    def tokens(self, browser: Browser | None = None, **changes: Any) -> dict[str, Any]:
        answer = self.redeem(self.log_in(browser or self.browser(), **changes)["code"])
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def userinfo(self, access_token: str) -> httpx.Response:
        return self.http.get("/identity/userinfo", headers={"Authorization": f"Bearer {access_token}"})


_counter = iter(range(10**9))


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a page's form."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))


def claims(house: House, token: str) -> dict[str, object]:
    """What one of our tokens says, its signature verified with the published keys."""
    keys = KeySet.import_key_set(house.http.get("/identity/jwks.json").json())
    return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)


def query_of(response: httpx.Response) -> dict[str, str]:
    """The query of a redirect."""
    return dict(parse_qsl(urlsplit(response.headers["location"]).query))
