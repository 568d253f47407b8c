"""The way of a citizen through the pages, on the real simulator."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from prometheus_client import REGISTRY
from sqlalchemy import update

from espace.clock import utcnow
from identity_service.language import texts
from identity_service.means import LEVEL_PREFIX
from identity_service.tables import SessionRow
from services.identity.tests.house import ISSUER, PUBLIC, House, claims, fields, query_of


def test_itsme_login_brings_tokens_and_userinfo(house: House) -> None:
    tokens = house.tokens()
    assert tokens["expires_in"] == 300
    assert {"refresh_token", "id_token", "access_token"} <= tokens.keys()
    info = house.userinfo(tokens["access_token"]).json()
    assert info["name"] == "Lucie Delvaux"
    assert info["national_number"] == "85073003328"
    assert info["commune_ins"] == "92094"
    assert info["address"] == {
        "street_address": "Rue de Fer 12",
        "postal_code": "5000",
        "locality": "Namur",
        "country": "BE",
    }
    assert "85073003328" not in str(tokens)


def test_code_means_ask_for_the_code(house: House) -> None:
    for means in ("email_code", "sms", "totp"):
        browser = house.browser()
        address = house.choose(browser, house.authorize(browser), means)
        asked = house.source.post(address, data={"means": means, "username": "marc", "action": "confirm"})
        code = re.search(r'id="shown-code">(\d{6})', asked.text)
        assert code
        form = {**fields(asked.text), "action": "confirm"}
        assert house.source.post(address, data={**form, "code": "x"}).status_code == 422
        right = house.source.post(address, data={**form, "code": code[1]})
        back = browser.get(right.headers["location"])
        assert house.redeem(query_of(back)["code"]).status_code == 200


def test_eid_and_eidas_log_in(house: House) -> None:
    eid = house.tokens(username="jeanne", means="eid")
    browser = house.browser()
    address = house.choose(browser, house.authorize(browser), "eidas")
    form = {"means": "eidas", "username": "paulo", "action": "confirm"}
    assert house.source.post(address, data={**form, "country": "DE"}).status_code == 422
    back = browser.get(house.source.post(address, data={**form, "country": "PT"}).headers["location"])
    eidas = house.redeem(query_of(back)["code"]).json()
    names = [house.userinfo(t["access_token"]).json()["given_name"] for t in (eid, eidas)]
    assert names == ["Jeanne", "Paulo"]


def test_the_page_shows_the_six_means_of_the_guide(house: House) -> None:
    browser = house.browser()
    page = browser.get(house.authorize(browser).headers["location"])
    for label in (
        "Carte d’identité (eID)",
        "itsme",
        "via e-mail",
        "via SMS",
        "via une application mobile",
        "eIDAS",
        "Gérez vos clés numériques plus simplement vous-même",
    ):
        assert label in page.text
    assert "indisponible" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert page.headers["cache-control"] == "no-store"


def test_a_means_switched_off_is_shown_so_and_the_page_still_works(house: House) -> None:
    house.source.post("/switches", json={"means": "itsme", "down": True, "reason": "test"})
    browser = house.browser()
    page = browser.get(house.authorize(browser).headers["location"])
    assert page.text.count("Momentanément indisponible") == 1
    assert re.search(r'value="itsme"[^>]* disabled', page.text)
    sent = browser.post("/identity/login", {**fields(page.text), "means": "itsme"})
    refused = house.source.get(sent.headers["location"])
    told = browser.get(refused.headers["location"])
    assert "Ce moyen est momentanément indisponible" in told.text
    again = browser.get(re.search(r'href="([^"]+/login[^"]+)"', told.text)[1])  # type: ignore[index]
    sent = browser.post("/identity/login", {**fields(again.text), "means": "sms"})
    assert "means%3Asms" in sent.headers["location"]


def test_a_source_that_is_away_disables_all_means(house: House, simulator: Flask) -> None:
    def broken() -> str:
        raise OSError

    browser = house.browser()
    authorized = house.authorize(browser)
    simulator.view_functions["status"] = broken
    page = browser.get(authorized.headers["location"])
    assert page.status_code == 200
    assert page.text.count("Momentanément indisponible") == 6


def test_cancelling_upstream_offers_another_means_and_cancelling_here_tells_the_client(house: House) -> None:
    browser = house.browser()
    address = house.choose(browser, house.authorize(browser))
    back = house.source.post(address, data={"means": "itsme", "action": "cancel"})
    told = browser.get(back.headers["location"])
    assert "Vous avez annulé la connexion" in told.text
    page = browser.get(re.search(r'href="([^"]+/login[^"]+)"', told.text)[1])  # type: ignore[index]
    left = browser.post("/identity/login", {**fields(page.text), "means": "cancel"})
    expected = {"error": "access_denied", "iss": ISSUER, "state": "client-state"}
    assert query_of(left) == expected


def test_every_end_of_a_login_is_counted_but_the_synthetic_citizens(house: House) -> None:
    def counted(method: str, level: str, outcome: str) -> float:
        labels = {"method": method, "level": level, "outcome": outcome}
        return REGISTRY.get_sample_value("espace_logins_total", labels) or 0.0

    ends = (("itsme", "450", "succeeded"), ("sms", "400", "access_denied"), ("unknown", "0", "cancelled"))
    before = [counted(*end) for end in ends]
    house.log_in(house.browser())
    browser = house.browser()
    address = house.choose(browser, house.authorize(browser, acr_values=f"{LEVEL_PREFIX}400"), "sms")
    back = house.source.post(address, data={"means": "sms", "action": "cancel"})
    browser.get(back.headers["location"])
    browser = house.browser()
    page = browser.get(house.authorize(browser).headers["location"])
    browser.post("/identity/login", {**fields(page.text), "means": "cancel"})
    assert [counted(*end) for end in ends] == [count + 1 for count in before]
    robot = {"client_id": "synthetic", "redirect_uri": f"{PUBLIC}/identity/synthetic/callback"}
    house.log_in(house.browser(), scope="openid", **robot)
    assert counted(*ends[0]) == before[0] + 1


def test_a_level_asked_for_is_reached_or_refused(house: House) -> None:
    browser = house.browser()
    level = {"acr_values": "urn:be:fedict:iam:fas:Level450"}
    page = browser.get(house.authorize(browser, **level).headers["location"])
    assert page.text.count("Niveau de sécurité insuffisant") == 3
    low = browser.post("/identity/login", {**fields(page.text), "means": "sms"})
    assert low.status_code == 422
    assert house.log_in(browser, **level)["code"]


def test_a_living_session_needs_no_login_unless_asked(house: House) -> None:
    browser = house.browser()
    house.log_in(browser)
    again = house.authorize(browser)
    assert query_of(again)["code"]
    assert query_of(house.authorize(browser, prompt="none"))["code"]
    for asked in ({"prompt": "login"}, {"max_age": "0"}, {"acr_values": "urn:be:fedict:iam:fas:Level500"}):
        assert "/identity/login?" in house.authorize(browser, **asked).headers["location"]
    stranger = house.authorize(house.browser(), prompt="none")
    assert query_of(stranger) == {"error": "login_required", "iss": ISSUER, "state": "client-state"}


def test_max_age_zero_asks_the_source_anew_whatever_the_session_says(house: House) -> None:
    """A step-up: the login that follows is newer than the request for it."""
    browser = house.browser()
    house.log_in(browser)
    for minutes in (-60, 60):  # an hour ago; and by a clock that was ahead
        with house.database.transaction() as unit:
            unit.session.execute(update(SessionRow).values(auth_time=utcnow() + timedelta(minutes=minutes)))
        asked_at = int(utcnow().timestamp())
        level = {"acr_values": "urn:be:fedict:iam:fas:Level450", "max_age": "0"}
        address = house.choose(browser, house.authorize(browser, **level))
        sent = parse_qs(urlsplit(address).query)
        assert (sent["prompt"], sent["max_age"]) == (["login"], ["0"])
        back = browser.get(house.confirm(address))
        tokens = house.redeem(query_of(back)["code"]).json()
        for name in ("access_token", "id_token"):
            assert asked_at <= int(str(claims(house, tokens[name])["auth_time"])) <= utcnow().timestamp()


def test_the_session_cookie_changes_at_login_and_a_planted_one_is_not_taken(house: House) -> None:
    browser = house.browser()
    browser.cookies["__Host-mes-identite"] = "planted-by-someone-else"
    house.log_in(browser)
    first = browser.cookies["__Host-mes-identite"]
    assert first != "planted-by-someone-else"
    house.log_in(browser, prompt="login")
    assert browser.cookies["__Host-mes-identite"] != first
    old = house.browser()
    old.cookies["__Host-mes-identite"] = first
    assert "/identity/login?" in house.authorize(old).headers["location"]


def test_cookies_are_of_this_host_secure_and_unreadable(house: House) -> None:
    browser = house.browser()
    authorized = house.authorize(browser)
    address = house.choose(browser, authorized)
    back = browser.get(house.confirm(address))
    for response in (authorized, back):
        line = response.headers["set-cookie"]
        assert line.startswith("__Host-")
        for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert flag in line
        assert "Domain" not in line


def test_forms_without_the_right_token_are_refused(house: House) -> None:
    browser, other = house.browser(), house.browser()
    page = browser.get(house.authorize(browser).headers["location"])
    theirs = other.get(house.authorize(other).headers["location"])
    good = {**fields(page.text), "means": "itsme", "ui_locales": "de"}
    for csrf in ("", "0" * 64, fields(theirs.text)["csrf"]):
        assert browser.post("/identity/login", {**good, "csrf": csrf}).status_code == 400
    for header in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert browser.post("/identity/login", good, headers=header).status_code == 400
    refused = other.post("/identity/login", good)
    assert refused.status_code == 400
    assert texts().gettext("de", "problem.form_token_invalid.text") in refused.text


def test_a_login_belongs_to_the_browser_that_began_it(house: House) -> None:
    """Login CSRF: a victim's browser cannot be made to finish an attacker's login."""
    attacker, victim = house.browser(), house.browser()
    back = house.confirm(house.choose(attacker, house.authorize(attacker)))
    house.authorize(victim)
    assert victim.get(back).status_code == 400
    assert "__Host-mes-identite" not in victim.cookies
    assert attacker.get(back).status_code == 302


def test_an_answer_works_once(house: House) -> None:
    browser = house.browser()
    back = house.confirm(house.choose(browser, house.authorize(browser)))
    assert browser.get(back).status_code == 302
    assert browser.get(back).status_code == 400


def test_form_posts_are_limited_per_address(house: House) -> None:
    object.__setattr__(house.settings, "forms_per_minute", 2)
    browser = house.browser()
    page = browser.get(house.authorize(browser).headers["location"])
    forged = [
        browser.post("/identity/login", fields(page.text), headers={"X-Forwarded-For": f"{n}, 192.0.2.7"})
        for n in range(4)
    ]
    assert [answer.status_code for answer in forged][-1] == 429
    assert forged[-1].headers["retry-after"]
    assert texts().gettext("fr", "problem.too_many_requests") in forged[-1].text


def test_logout_ends_the_session_and_comes_back(house: House) -> None:
    browser = house.browser()
    tokens = house.tokens(browser)
    query = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": f"{PUBLIC}/deconnecte",
        "state": "s1",
    }
    left = browser.get("/identity/logout", params=query)
    assert left.headers["location"] == f"{PUBLIC}/deconnecte?state=s1"
    assert "__Host-mes-identite" not in browser.cookies
    assert house.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert house.userinfo(tokens["access_token"]).status_code == 401
    assert "/identity/login?" in house.authorize(browser).headers["location"]


def test_a_client_ends_the_session_itself_and_the_browser_sees_no_token(house: House) -> None:
    browser = house.browser()
    tokens = house.tokens(browser)
    hint = {"id_token_hint": tokens["id_token"], "client_id": "web"}
    assert house.http.post("/identity/logout", data=hint).status_code == 200
    assert house.userinfo(tokens["access_token"]).status_code == 401
    assert "/identity/login?" in house.authorize(browser).headers["location"]
    wrong = {"id_token_hint": tokens["access_token"], "client_id": "web"}
    assert house.http.post("/identity/logout", data=wrong).status_code == 400


def test_logout_elsewhere_is_refused_and_without_hint_it_asks(house: House) -> None:
    browser = house.browser()
    tokens = house.tokens(browser)
    for uri in ("https://evil.example/", f"{PUBLIC}/deconnecte/", f"{PUBLIC}/deconnecte@evil.example"):
        query = {"id_token_hint": house.tokens()["id_token"], "post_logout_redirect_uri": uri}
        answer = house.browser().get("/identity/logout", params=query)
        assert answer.status_code == 200
        assert "location" not in answer.headers
    asked = browser.get("/identity/logout")
    assert "Voulez-vous vous déconnecter" in asked.text
    assert house.userinfo(tokens["access_token"]).status_code == 200
    assert browser.post("/identity/logout", {"csrf": "wrong"}).status_code == 400
    assert browser.post("/identity/logout", fields(asked.text)).status_code == 200
    assert house.userinfo(tokens["access_token"]).status_code == 401


def test_a_request_to_the_source_asks_for_the_level_of_the_means(house: House) -> None:
    browser = house.browser()
    query = parse_qs(urlsplit(house.choose(browser, house.authorize(browser))).query)
    assert query["acr_values"] == ["urn:be:fedict:iam:fas:Level450 urn:espace:means:itsme"]
    assert query["code_challenge_method"] == ["S256"]
    assert query["state"] != ["client-state"]
