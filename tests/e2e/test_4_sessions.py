"""Sessions of the web pages through the gateway: fixation, a stronger login, cookies, forged forms."""

import httpx

from espace_stack.testing.platform import Platform
from tests.e2e.app import choose_means
from tests.e2e.claims import ready_claim
from tests.e2e.conftest import Citizens, NewApp
from tests.e2e.counter import HOST, SESSION, Counter, answer_to, is_a_strangers

START = "/demarches/question-administration"


def test_a_session_id_is_new_at_login_and_a_planted_one_is_never_taken(
    platform: Platform, citizens: Citizens
) -> None:
    counter = Counter(platform)
    planted = "planted-session-id-of-an-attacker"
    counter.http.cookies.set(SESSION, planted, domain=HOST, path="/")
    counter.log_in(citizens.take())
    first = counter.cookie
    assert first != planted
    assert is_a_strangers(answer_to(platform, planted))
    counter.open("/nouveautes").submit(to="/nouveautes")
    counter.submit(("espace", "citoyen"))
    assert counter.cookie != first
    assert is_a_strangers(answer_to(platform, first, "/espace"))
    assert answer_to(platform, counter.cookie, "/espace").status_code == 200
    counter.http.close()


def test_what_asks_for_a_stronger_login_gets_it_in_a_new_session(platform: Platform, new_app: NewApp) -> None:
    """The code by e-mail is worth less than the claim asks for (on test platforms), itsme more."""
    app = new_app()
    draft = ready_claim(app)
    counter = Counter(platform).enter(app.person, "email_code")
    weak = counter.cookie
    check = f"/dossiers/{draft['id']}/verification"
    counter.open(check).submit(to=check)
    assert counter.page.status_code == 403
    assert "Un moyen de connexion plus sûr est nécessaire" in counter.text()
    assert app.dossier(draft["id"])["number"] is None
    (stronger,) = counter.document().xpath("//a[starts-with(@href, '/connexion?niveau=')]/@href")
    counter.open(stronger)
    offered = counter.document().xpath("//button[@name='means'][not(@disabled)]/@value")
    assert "email_code" not in offered
    choose_means(counter, "itsme", app.person.username)
    assert counter.address == platform.public_url + check, "back where the stronger login was asked for"
    assert counter.cookie != weak
    assert is_a_strangers(answer_to(platform, weak))
    counter.submit(to=check)
    assert counter.address.endswith("/recepisse")
    counter.http.close()


def test_every_cookie_of_our_host_has_its_flags_and_personal_pages_are_not_stored(
    platform: Platform, citizens: Citizens
) -> None:
    counter = Counter(platform)
    ours: list[str] = []

    def keep(answer: httpx.Response) -> None:
        if answer.url.host == httpx.URL(platform.public_url).host:
            ours.extend(answer.headers.get_list("set-cookie"))

    counter.http.event_hooks["response"].append(keep)
    counter.enter(citizens.take())
    page = counter.page
    assert "no-store" in page.headers["cache-control"]
    for words in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "default-src 'none'"):
        assert words in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    counter.submit(("langue", "nl"), to="/langue")
    counter.submit(to="/cookies/accepter")
    counter.submit(to="/deconnexion")
    names = {cookie.partition("=")[0] for cookie in ours}
    assert {SESSION, "__Host-visite", "__Host-langue", "__Host-cookies"} <= names
    assert len(names) >= 6, names  # with the login's own, here and at identity
    for cookie in ours:
        flags = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert cookie.startswith("__Host-"), cookie
        assert {"secure", "httponly", "path=/"} <= flags, cookie
        assert flags & {"samesite=lax", "samesite=strict"}, cookie
        assert not any(flag.startswith("domain=") for flag in flags), cookie
        assert len(cookie) < 4096
    counter.http.close()


def test_a_forged_form_changes_nothing(platform: Platform, citizens: Citizens) -> None:
    counter = Counter(platform).enter(citizens.take())
    counter.open(START)
    fields = counter.form(START)
    same_site = {"Sec_Fetch_Site": "same-origin"}
    forgeries = {
        "no token": counter.post(START, {k: v for k, v in fields.items() if k != "jeton"}, **same_site),
        "wrong token": counter.post(START, fields | {"jeton": fields["jeton"][:-4] + "AAAA"}, **same_site),
        "a visitor's token": counter.post(START, fields | {"jeton": visitors_token(platform)}, **same_site),
        "other origin": counter.post(START, fields, Origin="https://evil.example", **same_site),
        "cross-site": counter.post(START, fields, Sec_Fetch_Site="cross-site"),
    }
    assert {what: answer.status_code for what, answer in forgeries.items()} == dict.fromkeys(forgeries, 400)
    assert "Vous n’avez pas encore de dossier" in counter.open("/dossiers").text()
    assert counter.post(START, fields, **same_site).status_code == 303
    assert "Vous n’avez pas encore de dossier" not in counter.open("/dossiers").text()
    counter.http.close()


def visitors_token(platform: Platform) -> str:
    """A good form token, of another browser."""
    stranger = Counter(platform)
    stranger.open(f"{platform.public_url}/")
    stranger.http.close()
    return str(stranger.document().xpath("//input[@name='jeton']/@value")[0])
