"""Login, its attacks, and the session that comes of it."""

import base64
import hashlib
import json

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from espace.clock import utcnow
from espace.testing import Issuer
from web.tests.fakes import problem


def test_login_sets_a_host_cookie_out_of_reach_of_scripts(browser, services):
    answer = browser.finish_login(browser.begin_login())
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("__Host-mes="))
    for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in cookie
    assert "Domain" not in cookie
    assert len(cookie) < 4096
    assert answer.headers["Cache-Control"] == "no-store"


def test_login_asks_with_pkce_state_and_nonce(browser):
    asked = browser.begin_login()
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert min(len(asked["state"]), len(asked["nonce"])) >= 32
    assert asked["redirect_uri"] == "http://localhost:8080/connexion/retour"


def test_code_is_exchanged_with_the_verifier_of_its_challenge(browser, services):
    asked = browser.begin_login()
    browser.finish_login(asked)
    (sent,) = services.exchanges
    digest = hashlib.sha256(sent["code_verifier"][0].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]


def test_attempt_without_verifier_is_refused(app, browser, services):
    asked = browser.begin_login()
    name = f"__Host-connexion-{hashlib.sha256(asked['state'].encode()).hexdigest()[:16]}"
    vault = app.extensions["espace_web"].vault
    attempt = vault.open(bytes.fromhex(browser.client.get_cookie(name).value), name)
    del attempt["verifier"]
    browser.client.set_cookie(name, vault.seal(attempt, name).hex(), domain="localhost")
    assert browser.finish_login(asked).status_code == 400
    assert services.exchanges == []


def test_every_call_of_a_login_names_its_request(browser, services):
    browser.finish_login(browser.begin_login())
    browser.log_in()
    assert services.request_ids
    assert None not in services.request_ids


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "x" * 43},
        {"iss": "http://evil.example/identity"},
        {"code": "stolen"},
        {"error": "access_denied"},
    ],
)
def test_answer_that_does_not_hold_is_refused(browser, changes):
    answer = browser.finish_login(browser.begin_login(), **changes)
    assert answer.status_code == 400
    assert browser.session_cookie is None


def test_answer_without_iss_is_refused(browser, services):
    asked = browser.begin_login()
    services.nonces["c"] = asked["nonce"]
    answer = browser.get("/connexion/retour", query_string={"code": "c", "state": asked["state"]})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"aud": "another-client"},
        {"iss": "http://evil.example"},
        {"exp": 1},
        {"sub": "someone-else"},
        {"aud": ["web", "other"], "azp": "other"},
    ],
)
def test_id_token_that_does_not_hold_is_refused(browser, services, claims):
    services.id_claims = claims
    assert browser.finish_login(browser.begin_login()).status_code == 400
    assert browser.session_cookie is None


def unsigned(claims):
    parts = ({"alg": "none", "typ": "JWT", "kid": "k"}, claims)
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    return f"{head}.{body}."


def by_public_key(services, claims):
    """HS256 with the text of the public key as its secret."""
    public = services.issuer.jwks["keys"][0]
    header = {"alg": "HS256", "typ": "JWT", "kid": public["kid"]}
    return jwt.encode(header, claims, OctKey.import_key(public["n"]), algorithms=["HS256"])


def by_another(services, claims):
    """Another's key under the name of identity's."""
    kid = services.issuer.jwks["keys"][0]["kid"]
    return Issuer(services.issuer.issuer).sign(claims, header={"typ": "JWT", "kid": kid})


@pytest.mark.parametrize("forge", [lambda _, claims: unsigned(claims), by_public_key, by_another])
def test_id_token_that_identity_did_not_sign_is_refused(browser, services, forge):
    asked = browser.begin_login()
    now = int(utcnow().timestamp())
    claims = {"iss": f"{services.public_url}/identity", "aud": "web", "sub": "6b1f0b1e", "iat": now}
    services.id_token = forge(services, {**claims, "exp": now + 300, "nonce": asked["nonce"]})
    assert browser.finish_login(asked).status_code == 400
    assert browser.session_cookie is None


def test_id_token_with_unknown_key_is_refused(browser, services):
    asked = browser.begin_login()
    services.id_token = Issuer(services.issuer.issuer).sign({"aud": "web", "nonce": asked["nonce"]})
    assert browser.finish_login(asked).status_code == 400


@pytest.mark.parametrize("seconds", [None, 30, 500])
def test_stronger_login_that_was_not_made_for_it_is_refused(browser, services, seconds):
    services.id_claims = {"auth_time": seconds and int(utcnow().timestamp()) - seconds}
    assert browser.finish_login(browser.begin_login("/connexion?niveau=450")).status_code == 400
    assert browser.finish_login(browser.begin_login()).status_code == 303


@pytest.mark.parametrize("level", ["²", "٤٥٠", "9" * 5000, "-1", "x"])
def test_level_that_is_none_asks_for_none(browser, level):
    answer = browser.get("/connexion", query_string={"niveau": level})
    assert answer.status_code == 303
    assert ("acr_values" in answer.location) == (level == "٤٥٠")


@pytest.mark.parametrize("acr", ["urn:be:fedict:iam:fas:Level²", "Level", "450", 450])
def test_level_that_cannot_be_read_is_the_lowest(browser, services, acr):
    services.id_claims = {"acr": acr}
    assert browser.finish_login(browser.begin_login("/connexion?niveau=350")).status_code == 400
    assert browser.finish_login(browser.begin_login()).status_code == 303


def test_stronger_login_gives_a_new_session_and_leads_back(citizen, services):
    dossier = services.claims.add_validated()
    path = f"/dossiers/{dossier['id']}/verification"
    services.claims.refusals["/submission"] = problem(403, "level_too_low", min_level=500)
    weak = citizen.session_cookie
    refused = citizen.post(path)
    assert refused.status_code == 403
    assert f'href="/connexion?niveau=500&amp;retour={path}"' in refused.text
    asked = citizen.begin_login(f"/connexion?niveau=500&retour={path}")
    assert asked["acr_values"].endswith("Level500")
    assert asked["max_age"] == "0"
    services.id_claims = {"acr": "urn:be:fedict:iam:fas:Level500"}
    assert citizen.finish_login(asked).location == "/suite"
    assert citizen.get("/suite").location == path  # the space is chosen already
    services.claims.refusals.clear()
    assert citizen.post(path).location == f"/dossiers/{dossier['id']}/recepisse"
    first, second = (key for _, called, key in services.calls if called.endswith("/submission"))
    assert first != second  # what was refused is another attempt
    citizen.client.set_cookie("__Host-mes", weak, domain="localhost")
    assert citizen.get("/accueil").status_code == 401


def test_lower_level_than_asked_is_refused(browser, services):
    services.id_claims = {"acr": "urn:be:fedict:iam:fas:Level350"}
    assert browser.finish_login(browser.begin_login("/connexion?niveau=450")).status_code == 400


def test_answer_brought_to_another_browser_is_refused(browser, another_browser):
    asked = browser.begin_login()
    assert another_browser.finish_login(asked).status_code == 400
    assert another_browser.session_cookie is None


def test_answer_used_twice_is_refused(browser):
    asked = browser.begin_login()
    assert browser.finish_login(asked).status_code == 303
    again = browser.get(
        "/connexion/retour",
        query_string={"code": "c", "state": asked["state"], "iss": "http://localhost:8080/identity"},
    )
    assert again.status_code == 400


def test_two_logins_at_once_both_work(browser):
    first, second = browser.begin_login(), browser.begin_login()
    assert browser.finish_login(first).status_code == 303
    assert browser.finish_login(second).status_code == 303


def test_planted_session_id_is_not_adopted(browser, services):
    services.skip_welcome()
    browser.client.set_cookie("__Host-mes", "planted", domain="localhost")
    browser.finish_login(browser.begin_login())
    assert browser.session_cookie not in (None, "planted")


def test_session_id_changes_at_login_and_with_the_space(browser, services):
    services.skip_welcome()
    browser.finish_login(browser.begin_login())
    first = browser.session_cookie
    browser.post("/espace")
    second = browser.session_cookie
    browser.finish_login(browser.begin_login())
    third = browser.session_cookie
    assert len({first, second, third}) == 3
    for old in (first, second):
        browser.client.set_cookie("__Host-mes", old, domain="localhost")
        assert browser.get("/accueil").status_code == 401


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb"])
def test_return_address_stays_on_this_site(browser, services, target):
    services.skip_welcome()
    answer = browser.get("/connexion", query_string={"retour": target})
    asked = dict(pair.split("=", 1) for pair in answer.location.split("?")[1].split("&"))
    browser.finish_login(asked)
    browser.post("/espace")
    assert browser.get("/suite").location == "/accueil"


@pytest.mark.parametrize("length", [100, 1000, 4000])
def test_cookie_of_a_login_is_one_that_browsers_keep(browser, length):
    answer = browser.get("/connexion", query_string={"retour": "/" + "x" * (length - 1)})
    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert len(cookie) < 4096


def test_deep_link_is_reached_after_the_way_in(browser, services):
    services.skip_welcome()
    assert browser.get("/demarches?q=reclamation").status_code == 401
    browser.finish_login(browser.begin_login("/connexion?retour=/demarches?q=reclamation"))
    assert browser.post("/espace").location == "/suite"
    assert browser.get("/suite").location == "/demarches?q=reclamation"


def test_identity_away_says_so(browser, services):
    asked = browser.begin_login()
    services.down.add("identity")
    answer = browser.finish_login(asked)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
