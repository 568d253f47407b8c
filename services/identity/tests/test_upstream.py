"""The login source's answers that do not hold end no login (check 16)."""

import dataclasses
import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from sqlalchemy import select

from espace.clock import utcnow
from espace.db import Database
from identity_service.accounts import facts_of
from identity_service.app import create_app
from identity_service.settings import Settings
from identity_service.tables import CitizenRow, SessionRow, SourceRow
from identity_service.upstream import Upstream
from identity_service.vault import Vault
from services.identity.tests.house import ISSUER, SOURCE, House, fields

KEY = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
OTHER_KEY = RSAKey.generate_key(2048, {"kid": str(KEY.kid), "use": "sig", "alg": "RS256"})
LEVEL = "urn:be:fedict:iam:fas:Level"
NUMBER = "17073003384"
NAMES_ITSELF = {"authorization_response_iss_parameter_supported": True}


@dataclass
class Source:
    """A login source that does what the test wants, rightly or wrongly."""

    claims: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    back: dict[str, str] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: KEY)
    token_status: int = 200
    metadata: dict[str, Any] = field(default_factory=dict)
    nonce: str = ""
    verifiers: list[str] = field(default_factory=list)
    register: dict[str, Any] = field(default_factory=dict)
    broken: str = ""
    addresses: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.addresses.append(str(request.url))
        if self.broken and self.broken in path:
            raise httpx.ConnectTimeout("away", request=request)
        if path.endswith("openid-configuration"):
            paths = {
                "authorization_endpoint": "authorize",
                "token_endpoint": "token",
                "userinfo_endpoint": "userinfo",
                "jwks_uri": "jwks",
            }
            found = {name: f"{SOURCE}/{value}" for name, value in paths.items()}
            return httpx.Response(200, json={"issuer": SOURCE, **found, **self.metadata})
        if path == "/jwks":
            return httpx.Response(200, json=KeySet([KEY]).as_dict(private=False))
        if path == "/token":
            form = parse_qs(request.content.decode())
            self.verifiers.append(form["code_verifier"][0])
            if self.token_status != 200:
                return httpx.Response(self.token_status, json={"error": "invalid_grant"})
            return httpx.Response(
                200, json={"access_token": "a", "token_type": "Bearer", "id_token": self.id_token()}
            )
        if path == "/userinfo":
            known = {
                "sub": "s-1",
                "givenName": "Test",
                "surname": "Person",
                "mail": "t@courriel.example",
                "egovNRN": NUMBER,
            }
            return httpx.Response(200, json={**known, **self.info})
        if path == "/register/look-up" and json.loads(request.content)["national_number"] == NUMBER:
            return httpx.Response(200, json=self.register)
        return httpx.Response(404)

    def id_token(self) -> str:
        now = int(utcnow().timestamp())
        claims = {
            "iss": SOURCE,
            "aud": "identity",
            "sub": "s-1",
            "iat": now,
            "exp": now + 60,
            "auth_time": now,
            "nonce": self.nonce,
            "acr": f"{LEVEL}450",
            "amr": ["itsme"],
            **self.claims,
        }
        body = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": KEY.kid}, body, self.key, ["RS256"])


Try = Callable[..., httpx.Response]


@pytest.fixture
def attempt(database: Database, settings: Settings) -> Try:
    """Log in through a source; the answer to the callback."""

    def run(source: Source, inside: str = "", **changes: Any) -> httpx.Response:
        own = dataclasses.replace(settings, upstream_inside_url=inside)
        app = create_app(own, database, transport=httpx.MockTransport(source))
        house = House(app, app, own, database)
        browser = house.browser()
        address = house.choose(browser, house.authorize(browser, **changes))
        assert address.startswith(f"{SOURCE}/authorize")
        sent = dict(parse_qsl(urlsplit(address).query))
        source.nonce = sent["nonce"]
        back = {"code": "c", "state": sent["state"], "iss": SOURCE, **source.back}
        answer = browser.get(f"{ISSUER}/callback", params={k: v for k, v in back.items() if v})
        assert (answer.status_code == 302) == ("__Host-mes-identite" in browser.cookies)
        return answer

    return run


def test_a_right_answer_logs_in(attempt: Try) -> None:
    source = Source()
    assert attempt(source).status_code == 302
    assert len(source.verifiers[0]) >= 43


def test_a_source_that_does_not_announce_it_need_not_name_itself(attempt: Try) -> None:
    assert attempt(Source(back={"iss": ""})).status_code == 302
    assert attempt(Source(metadata=NAMES_ITSELF)).status_code == 302


def test_our_own_calls_reach_the_source_by_another_way_and_the_browser_by_its_name(
    attempt: Try,
) -> None:
    source = Source()
    answer = attempt(source, inside="http://source.inside:9000")
    assert answer.status_code == 302
    inside = {address for address in source.addresses if address.startswith("http://source.inside:9000/")}
    paths = {httpx.URL(address).path for address in inside}
    assert paths == {"/.well-known/openid-configuration", "/jwks", "/status", "/token", "/userinfo"}


WRONG = {
    "state unknown": Source(back={"state": "x" * 43}),
    "state absent": Source(back={"state": ""}),
    "iss of another source": Source(back={"iss": "https://evil.example"}),
    "iss absent": Source(back={"iss": ""}, metadata=NAMES_ITSELF),
    "error without iss": Source(back={"error": "access_denied", "iss": "https://evil.example"}),
    "code refused (reused)": Source(token_status=400),
    "token endpoint breaks": Source(token_status=500),
    "nonce of another": Source(claims={"nonce": "other"}),
    "nonce absent": Source(claims={"nonce": None}),
    "token of another issuer": Source(claims={"iss": "https://evil.example"}),
    "audience of another": Source(claims={"aud": "another-client"}),
    "authorised party of another": Source(claims={"aud": ["identity", "x"], "azp": "x"}),
    "expired": Source(claims={"exp": 1}),
    "no expiry": Source(claims={"exp": None}),
    "lower level": Source(claims={"acr": f"{LEVEL}400"}),
    "no level": Source(claims={"acr": None}),
    "made up level": Source(claims={"acr": "urn:evil:Level999"}),
    "stale login": Source(claims={"auth_time": 1_600_000_000}),
    "no time of login": Source(claims={"auth_time": None}),
    "signed by another key": Source(key=OTHER_KEY),
    "userinfo of somebody else": Source(info={"sub": "s-2"}),
    "no national number at all": Source(info={"egovNRN": "85073003329"}),
}


def test_a_wrong_answer_logs_nobody_in(attempt: Try) -> None:
    for name, source in WRONG.items():
        answer = attempt(source)
        assert answer.status_code in (200, 400, 403, 503), name
        assert "location" not in answer.headers, name
        assert "Mon Espace" in answer.text, name


@pytest.mark.parametrize(
    "source",
    [Source(metadata={"issuer": "https://evil.example"}), Source(broken="openid-configuration")],
    ids=["describes another", "is away"],
)
def test_a_means_whose_source_cannot_be_used_is_told_to_be_away(
    database: Database, settings: Settings, source: Source
) -> None:
    app = create_app(settings, database, transport=httpx.MockTransport(source))
    house = House(app, app, settings, database)
    browser = house.browser()
    page = browser.get(house.authorize(browser).headers["location"])
    sent = browser.post("/identity/login", {**fields(page.text), "means": "itsme"})
    assert sent.status_code == 503
    assert "momentanément indisponible" in sent.text


def test_what_a_source_said_of_itself_is_used_on_when_it_goes_away(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("identity_service.upstream.METADATA_SECONDS", 0.0)
    source = Source()
    upstream = Upstream(settings, httpx.MockTransport(source))
    trip = {"state": "s", "nonce": "n", "code_verifier": "v" * 43}
    first = upstream.authorize_url("itsme", 450, **trip)
    source.broken = "openid-configuration"
    assert upstream.authorize_url("itsme", 450, **trip) == first


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_the_algorithm_of_a_token_is_ours_to_choose(attempt: Try, algorithm: str) -> None:
    """Neither no signature nor our own public key misused as a shared secret is taken."""

    class Forger(Source):
        def id_token(self) -> str:
            _head, body, _signature = super().id_token().split(".")
            header = json.dumps({"alg": algorithm, "kid": KEY.kid}).encode()
            head = urlsafe_b64encode(header).decode().rstrip("=")
            if algorithm == "none":
                return f"{head}.{body}."
            secret = KEY.as_pem(private=False)
            mark = hmac.new(secret, f"{head}.{body}".encode(), hashlib.sha256).digest()
            return f"{head}.{body}.{urlsafe_b64encode(mark).decode().rstrip('=')}"

    assert attempt(Forger()).status_code == 400


def test_the_level_of_the_client_is_the_one_that_counts(attempt: Try) -> None:
    low = Source(claims={"acr": f"{LEVEL}400"})
    assert attempt(low, acr_values=f"{LEVEL}450").status_code == 403


@pytest.mark.parametrize("asked", [{}, {"max_age": "0"}])
def test_an_older_login_at_the_source_is_not_taken_for_a_new_one(attempt: Try, asked: dict[str, str]) -> None:
    """A source that answers by a session of its own, without asking her again."""
    minute_ago = int(utcnow().timestamp()) - 60
    assert attempt(Source(claims={"auth_time": minute_ago}), **asked).status_code == 400


def test_a_source_whose_clock_is_ahead_makes_no_login_newer_than_it_is(
    attempt: Try, database: Database
) -> None:
    attempt(Source(claims={"auth_time": int(utcnow().timestamp()) + 3600}))
    with database.session() as session:
        assert session.scalars(select(SessionRow)).one().auth_time <= utcnow()


@pytest.mark.parametrize(
    ("said", "known"), [("de", "de"), ("NL-be", "nl"), ("pt", None), (None, None), (["fr"], None)]
)
def test_a_language_is_kept_when_the_source_says_one_of_ours(
    attempt: Try, database: Database, settings: Settings, said: object, known: str | None
) -> None:
    attempt(Source(info={"prefLanguage": said}))
    with database.session() as session:
        citizen = session.scalars(select(CitizenRow)).one()
        assert facts_of(Vault(settings.national_number_key), citizen).get("language") == known


def test_two_subjects_with_one_number_are_one_citizen_and_one_subject_stays_itself(
    attempt: Try, database: Database
) -> None:
    attempt(Source())
    attempt(Source(claims={"sub": "s-9"}, info={"sub": "s-9"}))
    with database.session() as session:
        assert len(session.scalars(select(CitizenRow)).all()) == 1
        assert len({row.subject for row in session.scalars(select(SourceRow))}) == 2
    attempt(Source(claims={"sub": "s-7"}, info={"sub": "s-7", "egovNRN": "00022901135"}))
    stolen = attempt(Source(info={"egovNRN": "00022901135"}))
    assert stolen.status_code == 409


def test_an_untrusted_source_never_joins_by_number(
    database: Database, settings: Settings, attempt: Try
) -> None:
    attempt(Source())
    object.__setattr__(settings, "upstream_trusted", False)
    attempt(Source(claims={"sub": "s-5"}, info={"sub": "s-5"}))
    with database.session() as session:
        citizens = session.scalars(select(CitizenRow)).all()
    assert sorted(row.number_hash is None for row in citizens) == [False, True]


def test_the_register_is_asked_and_no_address_holds_the_number(
    attempt: Try, database: Database, settings: Settings
) -> None:
    source = Source(register={"commune_ins": "92094"})
    attempt(source)
    with database.session() as session:
        citizen = session.scalars(select(CitizenRow)).one()
        assert facts_of(Vault(settings.national_number_key), citizen)["commune_ins"] == "92094"
    assert f"{SOURCE}/register/look-up" in source.addresses
    assert not [address for address in source.addresses if NUMBER in address]


def test_a_register_that_is_away_stops_no_login(attempt: Try) -> None:
    assert attempt(Source(broken="/register")).status_code == 302
