"""Login, its attacks, and the session that comes of it."""

import pytest


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
