"""The provider towards its clients: addresses, PKCE, codes, refresh, keys (checks 15, 17, 18)."""

import json
from base64 import urlsafe_b64decode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import select, update

from espace.clock import utcnow
from identity_service.app import create_app
from identity_service.sessions import IDLE
from identity_service.tables import CodeRow, FamilyRow, SessionRow
from services.identity.tests.house import CALLBACK, ISSUER, House, claims, new_key, query_of

REDIRECTS = (
    f"{CALLBACK}/suffix",
    f"{CALLBACK}?x=1",
    f"{CALLBACK}x",
    f"{CALLBACK}/../retour",
    CALLBACK.replace("retour", "autre"),
    CALLBACK.replace("8080", "8081"),
    CALLBACK.replace(":8080", ""),
    CALLBACK.replace("retour", "Retour"),
    CALLBACK.replace("localhost", "LOCALHOST"),
    CALLBACK.replace("localhost", "localhost@evil.example"),
    CALLBACK.replace("http", "https", 1),
    "https://evil.example/connexion/retour",
    "//localhost:8080/connexion/retour",
    "javascript:alert(1)",
    'http://x/"\\é',
    "",
)


def header(token: str) -> dict[str, str]:
    part = token.split(".")[0]
    found: dict[str, str] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_discovery_says_what_is_there(house: House) -> None:
    found = house.http.get("/identity/.well-known/openid-configuration").json()
    assert found["issuer"] == ISSUER
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["response_types_supported"] == ["code"]


def test_tokens_carry_what_services_need_and_no_personal_data(house: House) -> None:
    tokens = house.tokens()
    access, identity = (claims(house, tokens[name]) for name in ("access_token", "id_token"))
    assert header(tokens["access_token"])["typ"] == "at+jwt"
    assert access["aud"] == "espace"
    assert access["acr"] == "urn:be:fedict:iam:fas:Level450"
    assert access["client_id"] == "web"
    assert access["sid"] == identity["sid"]
    assert access["sub"] == identity["sub"]
    assert int(str(access["exp"])) - int(str(access["iat"])) == 300
    assert identity["aud"] == "web"
    assert identity["amr"] == ["itsme", "urn:be:fedict:iam:fas:Level450"]
    assert access.keys() == {
        *("iss", "sub", "aud", "client_id", "iat", "exp", "jti", "scope"),
        *("acr", "amr", "auth_time", "sid", "family", "locale"),
    }
    personal = ("name", "email", "national_number", "given_name", "address")
    assert not identity.keys() & set(personal)


def test_an_address_that_is_not_registered_letter_by_letter_is_refused(house: House) -> None:
    for uri in REDIRECTS:
        refused = house.authorize(house.browser(), redirect_uri=uri)
        assert refused.status_code == 400, uri
        assert "location" not in refused.headers, uri


def test_an_unknown_client_is_refused_without_a_redirect(house: House) -> None:
    refused = house.authorize(house.browser(), client_id="nobody")
    assert refused.status_code == 400
    assert "location" not in refused.headers


WITHOUT_PKCE: tuple[dict[str, str | None], ...] = (
    {"code_challenge": None, "code_challenge_method": None},
    {"code_challenge_method": None},
    {"code_challenge_method": "plain"},
    {"code_challenge": None},
    {"code_challenge": "short"},
    {"client_id": "mobile", "redirect_uri": "https://app.example/callback", "code_challenge": None},
)


def test_without_pkce_s256_nothing_is_issued(house: House) -> None:
    for changes in WITHOUT_PKCE:
        refused = query_of(house.authorize(house.browser(), **changes))
        assert refused == {"error": "invalid_request", "iss": ISSUER, "state": "client-state"}, changes


def test_only_codes_are_offered(house: House) -> None:
    for response_type in ("token", "id_token", "code id_token", "é\"'"):
        refused = house.authorize(house.browser(), response_type=response_type)
        assert refused.status_code in (303, 400)
        assert "code=" not in refused.headers.get("location", "")


def test_the_answer_names_the_issuer(house: House) -> None:
    answer = house.log_in(house.browser())
    assert answer["iss"] == ISSUER
    assert answer["state"] == "client-state"


WRONG_REDEMPTIONS: tuple[dict[str, Any], ...] = (
    {"code_verifier": None},
    {"code_verifier": "w" * 64},
    {"redirect_uri": f"{CALLBACK}/"},
    {"redirect_uri": None},
    {"client": ("web", "wrong")},
    {"client": ("dossier", "dossier-secret")},
    {"client": None},
)


def test_a_code_needs_its_verifier_its_address_and_its_client(house: House) -> None:
    for changes in WRONG_REDEMPTIONS:
        answer = house.redeem(house.log_in(house.browser())["code"], **changes)
        assert answer.status_code in (400, 401), changes
        assert "access_token" not in answer.text, changes


def test_a_code_used_twice_revokes_what_it_brought(house: House) -> None:
    code = house.log_in(house.browser())["code"]
    tokens = house.redeem(code).json()
    assert house.userinfo(tokens["access_token"]).status_code == 200
    assert house.redeem(code).json()["error"] == "invalid_grant"
    assert house.userinfo(tokens["access_token"]).status_code == 401
    assert house.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_code_lives_a_minute(house: House) -> None:
    code = house.log_in(house.browser())["code"]
    with house.database.transaction() as unit:
        for row in unit.session.query(CodeRow):
            assert row.expires_at - row.created_at <= timedelta(seconds=60)
        unit.session.execute(update(CodeRow).values(expires_at=utcnow() - timedelta(seconds=1)))
    assert house.redeem(code).json()["error"] == "invalid_grant"


def test_fifty_uses_of_one_code_at_once_give_tokens_at_most_once(house: House) -> None:
    code = house.log_in(house.browser())["code"]
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: house.redeem(code).status_code, range(50)))
    assert (answers.count(200), answers.count(400)) == (1, 49)


def test_refresh_rotates_and_reuse_kills_the_family(house: House) -> None:
    first = house.tokens()
    second = house.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    third = house.refresh(second["refresh_token"])
    assert third.status_code == 200
    assert house.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert house.refresh(third.json()["refresh_token"]).json()["error"] == "invalid_grant"
    assert house.userinfo(third.json()["access_token"]).status_code == 401


def test_a_refresh_keeps_a_session_awake_and_wakes_none_that_fell_asleep(house: House) -> None:
    browser = house.browser()
    tokens = house.tokens(browser)
    for idle, page in ((timedelta(minutes=29), "/connexion/retour?"), (timedelta(minutes=31), "/login?")):
        with house.database.transaction() as unit:
            unit.session.execute(update(SessionRow).values(seen_at=utcnow() - idle))
        tokens = house.refresh(tokens["refresh_token"]).json()
        assert page in house.authorize(browser).headers["location"]
        with house.database.session() as session:
            (seen_at,) = session.scalars(select(SessionRow.seen_at))
        assert (utcnow() - seen_at < timedelta(minutes=1)) == (idle < IDLE)


def test_another_login_of_the_same_citizen_survives_a_reuse(house: House) -> None:
    stolen, kept = house.tokens(), house.tokens()
    house.refresh(stolen["refresh_token"])
    house.refresh(stolen["refresh_token"])
    assert house.refresh(kept["refresh_token"]).status_code == 200


def test_another_clients_refresh_token_is_refused_and_stays_good(house: House) -> None:
    tokens = house.tokens()
    stolen = house.token(
        client=None, grant_type="refresh_token", refresh_token=tokens["refresh_token"], client_id="mobile"
    )
    assert stolen.json()["error"] == "invalid_grant"
    assert house.refresh(tokens["refresh_token"]).status_code == 200


def test_a_refresh_cannot_widen_the_scope_and_ends_with_the_family(house: House) -> None:
    tokens = house.tokens(scope="openid profile")
    wider = house.token(
        grant_type="refresh_token", refresh_token=tokens["refresh_token"], scope="openid national_number"
    )
    assert wider.json()["error"] == "invalid_scope"
    tokens = house.tokens()
    with house.database.transaction() as unit:
        unit.session.execute(update(FamilyRow).values(expires_at=utcnow()))
    assert house.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_public_client_logs_in_and_gets_no_more_than_its_scope(house: House) -> None:
    mobile = {"client_id": "mobile", "redirect_uri": "https://app.example/callback"}
    code = house.log_in(house.browser(), **mobile)["code"]
    answer = house.redeem(code, client=None, **mobile).json()
    assert answer["scope"] == "openid profile"
    info = house.userinfo(answer["access_token"]).json()
    assert "national_number" not in info
    assert "email" not in info


def test_a_confidential_client_cannot_pose_as_public(house: House) -> None:
    code = house.log_in(house.browser())["code"]
    assert house.redeem(code, client=None, client_id="web").json()["error"] == "invalid_client"


def test_a_nonce_works_once(house: House) -> None:
    browser = house.browser()
    house.log_in(browser, nonce="the-same")
    assert query_of(house.authorize(browser, nonce="the-same"))["error"] == "invalid_request"


def test_a_service_gets_a_token_for_one_audience_of_its_list(house: House) -> None:
    client = ("dossier", "dossier-secret")
    answer = house.token(client=client, grant_type="client_credentials", resource="profile")
    found = claims(house, answer.json()["access_token"])
    assert (found["sub"], found["client_id"], found["aud"]) == ("dossier", "dossier", "profile")
    assert "refresh_token" not in answer.json()
    for resource in (
        {},
        {"resource": "documents"},
        {"resource": "espace"},
        {"resource": ["profile", "identity"]},
    ):
        refused = house.token(client=client, grant_type="client_credentials", **resource)
        assert refused.json()["error"] == "invalid_target"
    mobile = house.token(client=None, grant_type="client_credentials", client_id="mobile", resource="profile")
    assert mobile.status_code in (400, 401)


def test_other_grants_are_refused(house: House) -> None:
    for grant_type in ("password", "implicit", "", "é\"'\\"):
        assert house.token(grant_type=grant_type).status_code == 400


def test_userinfo_refuses_what_is_not_a_living_access_token(house: House) -> None:
    tokens = house.tokens()
    service = house.token(
        client=("dossier", "dossier-secret"), grant_type="client_credentials", resource="identity"
    ).json()["access_token"]
    head, body, signature = tokens["access_token"].split(".")
    for token in (
        "",
        "x",
        tokens["id_token"],
        tokens["refresh_token"],
        service,
        f"{head}.{body}.",
        f"{head}.{body}.AAAA",
    ):
        assert house.userinfo(token).status_code in (400, 401)
    assert house.userinfo(f"{head}.{body}.{signature}").status_code == 200


def test_a_new_key_signs_and_the_old_one_is_still_published(house: House, signing_key: str) -> None:
    before = house.tokens()
    rotated = replace(house.settings, signing_keys=new_key() + signing_key)
    app = create_app(rotated, house.database, transport=httpx.WSGITransport(app=house.simulator))
    after = House(app, house.simulator, rotated, house.database)
    assert len(after.http.get("/identity/jwks.json").json()["keys"]) == 2
    assert "d" not in after.http.get("/identity/jwks.json").json()["keys"][0]
    assert after.userinfo(before["access_token"]).status_code == 200
    fresh = after.refresh(before["refresh_token"]).json()
    assert header(fresh["access_token"])["kid"] != header(before["access_token"])["kid"]
    claims(after, fresh["access_token"])
    claims(after, before["access_token"])
    dropped = create_app(
        replace(rotated, signing_keys=new_key()),
        house.database,
        transport=httpx.WSGITransport(app=house.simulator),
    )
    assert (
        House(dropped, house.simulator, rotated, house.database).userinfo(fresh["access_token"]).status_code
        == 401
    )
