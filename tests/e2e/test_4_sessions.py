"""Sessions of the web pages through the gateway: cookies, fixation, logout, forgery, harmless GETs."""

import hashlib
import os
import subprocess
import sys
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from espace.testing import until
from espace_stack.testing.platform import Platform
from login_simulator.citizens import Citizen
from tests.e2e.app import choose_means
from tests.e2e.conftest import LINK, Citizens
from tests.e2e.walker import Walker

SESSION = "__Host-mes"
START = "/demarches/question-administration"


def test_a_session_id_is_new_at_login_and_a_planted_one_is_never_taken(
    platform: Platform, citizens: Citizens
) -> None:
    walker = Walker()
    planted = "planted-session-id-of-an-attacker"
    walker.http.cookies.set(SESSION, planted, domain="localhost.local", path="/")
    log_in(platform, walker, citizens.take())
    first = walker.http.cookies.get(SESSION, domain="localhost.local")
    assert first
    assert first != planted
    walker.open("/nouveautes").submit(to="/nouveautes")
    walker.submit(("espace", "citoyen"))
    second = walker.http.cookies.get(SESSION, domain="localhost.local")
    assert second != first
    assert status_with(platform, first) == 401
    assert status_with(platform, second) == 200
    walker.http.close()


def test_cookies_have_their_flags_and_personal_pages_are_not_stored(
    platform: Platform, citizens: Citizens
) -> None:
    walker = Walker()
    set_cookies: list[str] = []
    walker.http.event_hooks["response"] = [lambda r: set_cookies.extend(r.headers.get_list("set-cookie"))]
    log_in(platform, walker, citizens.take())
    ours = [c for c in set_cookies if c.startswith("__Host-")]
    assert any(c.startswith(f"{SESSION}=") for c in ours)
    for cookie in ours:
        parts = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "httponly", "path=/"} <= parts, cookie
        assert parts & {"samesite=lax", "samesite=strict"}, cookie
        assert not any(part.startswith("domain=") for part in parts)
        assert len(cookie) < 4096
    answer = walker.open("/nouveautes").page
    assert "no-store" in answer.headers["cache-control"]
    for words in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "default-src 'none'"):
        assert words in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    walker.http.close()


def test_after_logout_the_old_cookie_opens_nothing(platform: Platform, citizens: Citizens) -> None:
    walker = Walker()
    enter(platform, walker, citizens.take())
    cookie = walker.http.cookies.get(SESSION, domain="localhost.local")
    assert status_with(platform, cookie, "/accueil") == 200
    walker.http.post(
        f"{platform.public_url}/deconnexion",
        data=walker.form("/deconnexion"),
        headers={"Origin": platform.public_url, "Referer": walker.address},
    )
    assert status_with(platform, cookie, "/accueil") in (302, 303, 401)
    walker.http.close()


def test_a_disabled_citizen_is_out_at_once(platform: Platform, citizens: Citizens) -> None:
    walker, person = Walker(), citizens.take()
    enter(platform, walker, person)
    cookie = walker.http.cookies.get(SESSION, domain="localhost.local")
    query = f"select citizen_id from sources where subject = '{person.subject}'"
    ((citizen_id,),) = platform.rows("identity", query)
    subprocess.run(
        [sys.executable, "-m", "identity_service", "disable", str(citizen_id)],
        env={**os.environ, **platform.stack.env("identity-api")},
        check=True,
        capture_output=True,
    )
    until("the end of the session", lambda: status_with(platform, cookie, "/accueil") == 401)
    walker.http.close()


@pytest.mark.parametrize("forgery", ["no token", "wrong token", "other origin", "cross-site"])
def test_a_forged_form_changes_nothing(platform: Platform, citizens: Citizens, forgery: str) -> None:
    walker = Walker()
    enter(platform, walker, citizens.take())
    walker.open(START)
    fields = walker.form(START)
    headers = {"Origin": platform.public_url, "Sec-Fetch-Site": "same-origin"}
    if forgery == "no token":
        fields.pop("jeton")
    elif forgery == "wrong token":
        fields["jeton"] = fields["jeton"][:-4] + "AAAA"
    elif forgery == "other origin":
        headers["Origin"] = "https://evil.example"
    else:
        headers["Sec-Fetch-Site"] = "cross-site"
    answer = walker.http.post(platform.public_url + START, data=fields, headers=headers)
    assert answer.status_code in (400, 403)
    walker.open("/dossiers")
    assert "Vous n’avez pas encore de dossier" in walker.text()
    walker.http.close()


def test_following_every_link_changes_nothing(platform: Platform, citizens: Citizens) -> None:
    walker = Walker()
    enter(platform, walker, citizens.take())
    walker.open(START)
    walker.submit(to=START)
    draft = walker.address
    platform.settle()
    before = fingerprint(platform)
    todo, seen = ["/accueil", draft], set[str]()
    while todo:
        address = urljoin(platform.public_url, todo.pop()).split("#")[0]
        if address in seen or urlsplit(address).netloc != urlsplit(platform.public_url).netloc:
            continue
        seen.add(address)
        answer = walker.http.get(address)
        walker.http.head(address)
        assert answer.status_code < 500, address
        if answer.headers.get("content-type", "").startswith("text/html"):
            walker.page, walker.address = answer, address
            todo += [str(a) for a in walker.document().xpath("//a/@href") if "/connexion" not in a]
    assert len(seen) >= 12, seen
    assert fingerprint(platform) == before
    walker.http.close()


def log_in(platform: Platform, walker: Walker, person: Citizen) -> None:
    """From « Me connecter » to the first page of the session."""
    walker.open(f"{platform.public_url}/").open("/connexion")
    choose_means(walker, "itsme", person.username)


def enter(platform: Platform, walker: Walker, person: Citizen) -> None:
    """Log in and create the space, without JavaScript, to the home page of the counter."""
    log_in(platform, walker, person)
    walker.submit(masquer="1")
    walker.submit(("espace", "citoyen"))
    walker.submit(courriel=person.email)

    def link() -> str | None:
        found = [LINK.search(m.text or "") for m in platform.mail.messages(to=person.email)]
        return next((match.group() for match in found if match), None)

    walker.open(until("the mail with the link", link))
    walker.submit(to=urlsplit(walker.address).path)
    walker.open("/suite").submit(masquer="1")
    assert walker.address.endswith("/accueil"), walker.address


def status_with(platform: Platform, cookie: str | None, path: str = "/espace") -> int:
    """What a page answers to a browser that has just this session cookie."""
    return httpx.get(platform.public_url + path, headers={"Cookie": f"{SESSION}={cookie}"}).status_code


def fingerprint(platform: Platform) -> str:
    """A digest of everything the services hold about citizens and cases."""
    digest = hashlib.sha256()
    for service in ("profile", "dossier", "documents", "notifier", "scheduler"):
        tables = "select tablename from pg_tables where schemaname = 'public' order by 1"
        for (table,) in platform.rows(service, tables):
            digest.update(repr(sorted(platform.rows(service, f'select t::text from "{table}" t'))).encode())
    return digest.hexdigest()
