"""Who is not logged in gets nowhere: every route of all seven programs, by every method (security check 1).

The routes are those of the programs' own maps. Each is called at the program's inside address, and through
the gateway.
"""

import re
from collections.abc import Iterator, Mapping

import httpx
import pytest

from espace.config import load
from espace_stack.testing.platform import Platform
from espace_web.app import create_app
from espace_web.settings import WebSettings
from tests.contracts import apis
from tests.e2e.counter import HOST, Counter

VISIT = "__Host-visite"
UNKNOWN = "00000000-0000-4000-8000-00000000dead"
LISTENER = "probes and metrics, on the inside listener only"
DOCUMENT = "a page or a document for everyone"
OAUTH = "OpenID Connect protects it itself: by a client's secret, a code, a login's cookie, a form token"
LINK = "opened on another device; the link itself is the proof"
PROBES = dict.fromkeys(("/livez", "/readyz", "/metrics"), LISTENER)
PUBLIC: Mapping[str, Mapping[str, str]] = {
    "identity": {
        "/api/identity/openapi.json": DOCUMENT,
        "/identity/.well-known/openid-configuration": DOCUMENT,
        "/identity/jwks.json": "public keys",
        "/identity/static/<path:filename>": DOCUMENT,
        "/identity/authorize": OAUTH,
        "/identity/login": OAUTH,
        "/identity/callback": OAUTH,
        "/identity/logout": OAUTH,
        "/identity/token": OAUTH,
    },
    "profile": {
        "/api/profile/openapi.json": DOCUMENT,
        "/api/profile/v1/email-confirmations": LINK,
    },
    "dossier": {
        "/api/dossier/openapi.json": DOCUMENT,
        "/api/dossier/v1/event-keys": "public keys",
    },
    "documents": {
        "/api/documents/openapi.json": DOCUMENT,
        "/internal/v1/statement-keys": "public keys, on the inside listener only",
    },
    "notifier": {"/api/notifier/openapi.json": DOCUMENT},
    "scheduler": {"/api/scheduler/openapi.json": DOCUMENT},
    "web": {
        "/": DOCUMENT,
        "/accessibilite": DOCUMENT,
        "/vie-privee": DOCUMENT,
        "/cookies": DOCUMENT,
        "/favicon.ico": DOCUMENT,
        "/static/<path:filename>": DOCUMENT,
        "/api/": DOCUMENT,
        "/api/<any('identity', 'scheduler'):service>/openapi.json": DOCUMENT,
        "/erreur/<any('403', '404', '413', '429', '502', '504'):status>": "what the gateway shows itself",
        "/connexion": "a login begins",
        "/connexion/retour": "the provider's answer to a login that this browser began",
        "/connexion/backchannel": "the provider's logout token is the proof",
        "/deconnexion": "without a session nothing ends",
        "/deconnecte": "where a logout ends",
        "/langue": "a visitor's language",
        "/cookies/accepter": "a visitor's choice",
        "/confirmation/<token>": LINK,
    },
}
"""Program → the rules that ask for no login, and why. Everything else answers 401."""


@pytest.mark.parametrize("program", PUBLIC)
def test_every_route_but_the_public_ones_answers_401(platform: Platform, program: str) -> None:
    public = {**PUBLIC[program], **PROBES}
    inside = platform.url("web" if program == "web" else f"{program}-api")
    visited, refused = set(), 0
    http, form = visitor(platform)
    with http:
        for method, rule in routes(platform, program):
            for base in (inside, platform.public_url):
                address = base + filled(rule)
                answer = http.request(method, address, data=form if method == "POST" else None)
                if base != inside and (rule in PROBES or rule.startswith("/internal/")):
                    assert answer.status_code == 404, (method, address)
                elif rule in public:
                    assert answer.status_code < 500, (method, address)
                    visited.add(rule)
                elif method == "OPTIONS" and answer.status_code == 200:
                    assert (answer.content, "GET" in answer.headers["Allow"]) == (b"", True), address
                else:
                    assert answer.status_code == 401, (method, address, answer.status_code)
                    refused += 1
    assert visited == set(public), "the list names what is not there"
    assert refused


def visitor(platform: Platform) -> tuple[httpx.Client, dict[str, str]]:
    """Somebody on the public home: her browser, and the fields that make its forms good ones."""
    counter = Counter(platform)
    counter.open(f"{platform.public_url}/")
    visit = counter.http.cookies.get(VISIT, domain=HOST)
    fields = {"jeton": counter.form("/langue")["jeton"]}
    counter.http.close()
    headers = {"Cookie": f"{VISIT}={visit}", "Origin": platform.public_url}
    return httpx.Client(headers=headers, timeout=30), fields


def routes(platform: Platform, program: str) -> Iterator[tuple[str, str]]:
    """Every method and rule of a program, the automatic ones too."""
    app = create_app(load(WebSettings, platform.stack.env("web"))) if program == "web" else apis.app(program)
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods or ()):
            yield method, rule.rule


def filled(rule: str) -> str:
    """An address of the rule: unknown ids, the first of several words, some word."""
    rule = re.sub(r"<uuid:\w+>", UNKNOWN, rule)
    rule = re.sub(r"<any\('?(\w+).*?\):\w+>", r"\1", rule)
    return re.sub(r"<[^>]+>", "x", rule)
