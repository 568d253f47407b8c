"""The simulator as a provider, a register and a set of switches."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from login_simulator.app import create_app
from login_simulator.settings import Settings

BASE = "http://127.0.0.1:8081"
CALLBACK = "http://localhost:8080/identity/callback"
VERIFIER = "v" * 50


@pytest.fixture
def http(monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    app = create_app(
        Settings(
            public_url=BASE,
            client_id="identity",
            client_secret="s",
            redirect_uris=(CALLBACK,),
            register_secret="r",
        )
    )
    with httpx.Client(transport=httpx.WSGITransport(app=app), base_url=BASE) as client:
        yield client


def query(**changes: Any) -> dict[str, str]:
    found = {
        "response_type": "code",
        "client_id": "identity",
        "redirect_uri": CALLBACK,
        "scope": "openid profile egovnrn",
        "state": "st",
        "nonce": "n",
        "code_challenge": create_s256_code_challenge(VERIFIER),
        "code_challenge_method": "S256",
        "acr_values": "urn:be:fedict:iam:fas:Level400 urn:espace:means:itsme",
        **changes,
    }
    return {name: value for name, value in found.items() if value is not None}


def test_without_a_hint_the_means_of_that_level_are_offered(http: httpx.Client) -> None:
    page = http.get("/authorize", params=query(acr_values="urn:be:fedict:iam:fas:citizen:Level450"))
    assert 'value="eid"' in page.text
    assert 'value="itsme"' in page.text
    assert 'value="sms"' not in page.text


def test_a_code_works_once_and_userinfo_is_signed(http: httpx.Client) -> None:
    confirmed = http.post(
        "/authorize", params=query(), data={"means": "itsme", "username": "lucie", "action": "confirm"}
    )
    code = httpx.URL(confirmed.headers["location"]).params["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    token = http.post("/token", data=form, auth=("identity", "s")).json()
    assert http.post("/token", data=form, auth=("identity", "s")).status_code == 400
    info = http.get("/userinfo", headers={"Authorization": f"Bearer {token['access_token']}"})
    assert info.headers["content-type"] == "application/jwt"


@pytest.mark.parametrize(
    "changes",
    [{"code_challenge": None}, {"code_challenge_method": "plain"}, {"nonce": None}],
)
def test_pkce_and_nonce_are_obligatory(http: httpx.Client, changes: dict[str, Any]) -> None:
    answer = http.get("/authorize", params=query(**changes))
    location = httpx.URL(answer.headers["location"])
    assert location.params["error"] == "invalid_request"
    assert location.params["iss"] == BASE


def test_another_address_is_refused_without_a_redirect(http: httpx.Client) -> None:
    answer = http.get("/authorize", params=query(redirect_uri=f"{CALLBACK}/x"))
    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_who_has_not_activated_a_means_cannot_use_it(http: httpx.Client) -> None:
    form = {"means": "itsme", "username": "jeanne", "action": "confirm"}
    assert http.post("/authorize", params=query(), data=form).status_code == 422


def test_a_code_can_be_guessed_five_times(http: httpx.Client) -> None:
    sms = query(acr_values="urn:espace:means:sms")
    page = http.post("/authorize", params=sms, data={"means": "sms", "username": "lucie"}).text
    challenge = page.partition('name="challenge" value="')[2].partition('"')[0]
    right = page.partition('id="shown-code">')[2][:6]
    form = {"means": "sms", "challenge": challenge, "action": "confirm"}
    for _ in range(5):
        assert http.post("/authorize", params=sms, data={**form, "code": "nope"}).status_code == 422
    late = http.post("/authorize", params=sms, data={**form, "code": right})
    assert late.status_code == 422
    assert "plus valable" in late.text


def test_switches_take_a_means_out_of_order_and_back(http: httpx.Client) -> None:
    http.post("/switches", json={"means": "itsme", "down": True, "reason": "entretien"})
    assert http.get("/status").json()["means"]["itsme"] == {"available": False, "reason": "entretien"}
    answer = http.get("/authorize", params=query())
    assert httpx.URL(answer.headers["location"]).params["error"] == "temporarily_unavailable"
    http.post("/switches", json={"means": "all", "down": False})
    assert http.get("/authorize", params=query()).status_code == 200
    assert http.post("/switches", json={"means": "abacus", "down": True}).status_code == 422


def test_the_register_opens_to_its_secret_alone(http: httpx.Client) -> None:
    def look_up(wish: Any, authorization: str = "Bearer r") -> httpx.Response:
        return http.post("/register/look-up", json=wish, headers={"Authorization": authorization})

    lucie = {"national_number": "85073003328"}
    assert look_up(lucie, "").status_code == 401
    assert look_up(lucie, "Bearer wrong").status_code == 401
    assert look_up(lucie).json()["commune_ins"] == "92094"
    for unknown in ({"national_number": "17073003384"}, {}, [], None):
        assert look_up(unknown).status_code == 404
