"""What a token has to be; each attack gets the same 401 (ASVS 9.1, 9.2)."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc.jwk import RSAKey

from espace.auth import InvalidToken, JwksCache, ServiceTokens, TokenVerifier
from espace.clock import utcnow
from espace.errors import TransientError
from espace.testing import Issuer

CITIZEN = uuid4()
CLAIMS: dict[str, Any] = {
    "sub": str(CITIZEN),
    "aud": "espace",
    "client_id": "web",
    "acr": "urn:be:fedict:iam:fas:Level450",
    "amr": ["itsme"],
}
FOREIGN = RSAKey.generate_key(2048, {"kid": "test"})


def seconds(offset: float) -> int:
    return int((utcnow() + timedelta(seconds=offset)).timestamp())


def unsigned(issuer: Issuer) -> str:
    """``alg: none`` by hand: no library of ours writes it."""
    return _by_hand(issuer, "none") + "."


def hs256_with_our_public_key(issuer: Issuer) -> str:
    """Signed with what everybody knows, in the hope that the verifier takes its key for a secret."""
    text = _by_hand(issuer, "HS256")
    mac = hmac.digest(issuer.key.as_pem(private=False), text.encode(), hashlib.sha256)
    return f"{text}.{_base64(mac)}"


def rs512(issuer: Issuer) -> str:
    same_key = RSAKey.import_key(issuer.key.as_pem(private=True))
    return issuer.sign(CLAIMS, key=same_key, algorithm="RS512")


def _by_hand(issuer: Issuer, algorithm: str) -> str:
    head = {"alg": algorithm, "typ": "at+jwt", "kid": "test"}
    body = {"iss": issuer.issuer, "iat": seconds(0), "exp": seconds(60), **CLAIMS}
    return ".".join(_base64(json.dumps(part).encode()) for part in (head, body))


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def cut(issuer: Issuer) -> str:
    return issuer.sign(CLAIMS)[:-6]


def without_signature(issuer: Issuer) -> str:
    return issuer.sign(CLAIMS).rpartition(".")[0] + "."


def with_another_payload(issuer: Issuer) -> str:
    head, _, signature = issuer.sign(CLAIMS).split(".")
    _, payload, _ = issuer.sign({**CLAIMS, "sub": str(uuid4())}).split(".")
    return ".".join((head, payload, signature))


def foreign_jwk(issuer: Issuer) -> str:
    return issuer.sign(CLAIMS, key=FOREIGN, header={"jwk": FOREIGN.as_dict(private=False)})


ATTACKS: dict[str, Callable[[Issuer], str]] = {
    "alg none": unsigned,
    "HS256 with the public key": hs256_with_our_public_key,
    "another RSA algorithm": rs512,
    "unknown kid": lambda i: i.sign(CLAIMS, header={"kid": "other"}),
    "no kid": lambda i: i.sign(CLAIMS, header={"kid": None}),
    "foreign key under our kid": lambda i: i.sign(CLAIMS, key=FOREIGN),
    "jwk header": foreign_jwk,
    "jku header": lambda i: i.sign(CLAIMS, key=FOREIGN, header={"jku": "https://evil.example/jwks.json"}),
    "x5u header": lambda i: i.sign(CLAIMS, key=FOREIGN, header={"x5u": "https://evil.example/c.pem"}),
    "jku header, our signature": lambda i: i.sign(CLAIMS, header={"jku": "https://evil.example/jwks.json"}),
    "expired": lambda i: i.sign({**CLAIMS, "exp": seconds(-1)}),
    "no expiry": lambda i: i.sign({**CLAIMS, "exp": None}),
    "not yet valid": lambda i: i.sign({**CLAIMS, "nbf": seconds(60)}),
    "issued in the future": lambda i: i.sign({**CLAIMS, "iat": seconds(60)}),
    "another issuer": lambda i: i.sign({**CLAIMS, "iss": "https://evil.example/identity"}),
    "no issuer": lambda i: i.sign({**CLAIMS, "iss": None}),
    "another audience": lambda i: i.sign({**CLAIMS, "aud": "dossier"}),
    "one audience too many": lambda i: i.sign({**CLAIMS, "aud": ["espace", "dossier"]}),
    "no audience": lambda i: i.sign({**CLAIMS, "aud": None}),
    "id_token": lambda i: i.sign({**CLAIMS, "aud": "web", "nonce": "n"}, header={"typ": "JWT"}),
    "id_token for our audience": lambda i: i.sign(CLAIMS, header={"typ": "JWT"}),
    "no type": lambda i: i.sign(CLAIMS, header={"typ": None}),
    "logout token": lambda i: i.sign(CLAIMS, header={"typ": "logout+jwt"}),
    "subject is no uuid": lambda i: i.sign({**CLAIMS, "sub": "web"}),
    "no acr": lambda i: i.sign({**CLAIMS, "acr": None}),
    "unknown acr": lambda i: i.sign({**CLAIMS, "acr": "urn:mace:incommon:iap:silver"}),
    "a service's token": lambda i: i.service("dossier", "kit"),
    "cut signature": cut,
    "no signature": without_signature,
    "another payload": with_another_payload,
    "not a token": lambda _: "a.b.c",
    "too long": lambda _: "a" * 9000,
    "deeply nested": lambda i: i.sign({**CLAIMS, "amr": None, "x": "y" * 7000}),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_the_token_is_401_and_says_nothing(api: Any, name: str) -> None:
    token = ATTACKS[name](api.issuer)
    answer = api.client.get("/api/kit/v1/things", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401, name
    assert answer.json["code"] == "token_invalid"
    assert answer.json["detail"] == "The access token is not acceptable here."
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="kit", error="invalid_token"'


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic d2ViOndlYg==", "token"])
def test_without_a_bearer_token_it_is_401(api: Any, value: str) -> None:
    answer = api.client.get("/api/kit/v1/things", headers={"Authorization": value})
    assert (answer.status_code, answer.json["code"]) == (401, "token_missing")


def test_a_citizen_is_known_by_the_token_alone(api: Any) -> None:
    answer = api.client.get("/api/kit/v1/things", headers={**api.headers(), "X-User-Id": str(uuid4())})
    assert answer.status_code == 200
    principal = api.issuer.verifier().citizen(api.issuer.citizen(CITIZEN, locale="nl"))
    assert (principal.citizen_id, principal.client_id, principal.level) == (CITIZEN, "web", 450)
    assert (principal.amr[0], principal.language) == ("itsme", "nl")


def test_a_service_is_accepted_where_its_token_is_for(api: Any) -> None:
    good = api.client.get(
        "/internal/v1/whoami", headers={"Authorization": f"Bearer {api.issuer.service('notifier', 'kit')}"}
    )
    assert good.json == {"client_id": "notifier", "citizen_id": None}
    for token in (
        api.issuer.service("notifier", "dossier"),
        api.issuer.service("notifier", "kit", sub="dossier"),
        api.issuer.citizen(CITIZEN),
        api.issuer.citizen(CITIZEN, aud="kit"),
    ):
        refused = api.client.get("/internal/v1/whoami", headers={"Authorization": f"Bearer {token}"})
        assert refused.status_code == 401


class Keys:
    """An address of keys that can be away and that counts."""

    def __init__(self) -> None:
        self.now, self.fetched, self.away = 0.0, 0, False
        self.jwks: Mapping[str, Any] = Issuer().jwks

    def fetch(self, _url: str) -> Mapping[str, Any]:
        self.fetched += 1
        if self.away:
            raise httpx.ConnectError("away")
        return self.jwks

    def cache(self) -> JwksCache:
        return JwksCache("http://identity", fetch=self.fetch, clock=lambda: self.now)


def test_keys_are_kept_and_used_on_while_identity_is_away() -> None:
    keys = Keys()
    cache = keys.cache()
    assert cache.find("test")
    assert cache.find("test")
    assert keys.fetched == 1
    keys.away, keys.now = True, 10_000
    assert cache.find("test")
    assert keys.fetched == 2
    keys.now += 5
    assert cache.find("test")
    assert keys.fetched == 2


def test_an_unknown_kid_fetches_at_most_once_in_ten_seconds() -> None:
    keys = Keys()
    cache = keys.cache()
    cache.find("test")
    for _ in range(50):
        assert cache.find("invented") is None
    assert keys.fetched == 1
    keys.now = 10
    keys.jwks = {"keys": [RSAKey.generate_key(2048, {"kid": "next", "use": "sig"}).as_dict(private=False)]}
    assert cache.find("next")
    assert keys.fetched == 2


def test_keys_that_were_never_had_are_a_503_not_a_401() -> None:
    keys = Keys()
    keys.away = True
    cache = keys.cache()
    with pytest.raises(TransientError):
        TokenVerifier(Issuer().issuer, cache).citizen(Issuer().citizen(CITIZEN))
    keys.away, keys.now = False, 1
    assert TokenVerifier(Issuer().issuer, cache).citizen(Issuer().citizen(CITIZEN))


def test_a_broken_key_set_does_not_replace_the_good_one() -> None:
    keys = Keys()
    cache = keys.cache()
    cache.find("test")
    keys.jwks, keys.now = {"error": "no"}, 400
    assert cache.find("test")


def test_many_threads_fetch_the_keys_once() -> None:
    keys = Keys()
    cache = keys.cache()
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(cache.find("test"))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found)
    assert (len(found), keys.fetched) == (16, 1)


def test_a_token_for_the_citizens_audience_is_never_a_services() -> None:
    with pytest.raises(ValueError, match="audience"):
        Issuer().verifier().service("x", "espace")
    with pytest.raises(InvalidToken):
        Issuer().verifier().service(Issuer().service("a", "espace"), "kit")


def test_a_token_seen_before_is_judged_again() -> None:
    """Only the signature is remembered, and only while its key is in force."""
    issuer, keys = Issuer(), Keys()
    now = [utcnow()]
    verifier = TokenVerifier(issuer.issuer, keys.cache(), clock=lambda: now[0])
    token = issuer.citizen(CITIZEN)
    assert verifier.citizen(token) == verifier.citizen(token)
    with pytest.raises(InvalidToken, match="aud"):
        verifier.service(token, "kit")
    with pytest.raises(InvalidToken, match=r"signature|form"):
        verifier.citizen(token[:-4] + "AAAA")
    now[0] += timedelta(seconds=301)
    with pytest.raises(InvalidToken, match="exp"):
        verifier.citizen(token)
    now[0] -= timedelta(seconds=301)
    keys.jwks = {"keys": [RSAKey.generate_key(2048, {"kid": "next", "use": "sig"}).as_dict(private=False)]}
    keys.now = 400
    with pytest.raises(InvalidToken, match="kid"):
        verifier.citizen(token)


def test_service_tokens_are_asked_for_once_and_again_before_they_expire() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"access_token": f"t{len(asked)}", "expires_in": 300})

    now = [0.0]
    tokens = ServiceTokens(
        "http://identity", "dossier", "s3cret", transport=httpx.MockTransport(answer), clock=lambda: now[0]
    )
    assert (tokens.get("profile"), tokens.get("profile"), tokens.get("documents")) == ("t1", "t1", "t2")
    assert asked[0].content == b"grant_type=client_credentials&resource=profile"
    assert base64.b64decode(asked[0].headers["Authorization"].split()[1]) == b"dossier:s3cret"
    now[0] = 271
    assert tokens.get("profile") == "t3"
    tokens.forget("profile")
    assert tokens.get("profile") == "t4"


@pytest.mark.parametrize("status", [400, 401, 500, 503])
def test_no_service_token_is_a_transient_error(status: int) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(status, text="no"))
    with pytest.raises(TransientError):
        ServiceTokens("http://identity", "dossier", "s", transport=transport).get("profile")
