"""The language that a citizen's source asserts, from the real provider's token into a real sister service."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from espace.auth import StaticKeys, TokenVerifier
from espace.db import Database
from profile_service.app import create_app
from profile_service.settings import Settings
from services.identity.tests.house import ISSUER, PUBLIC, House

LANGUAGES = {"zoe": "nl", "greta": "de", "lucie": "fr"}


@pytest.mark.parametrize(("username", "language"), LANGUAGES.items())
def test_a_profile_begins_in_the_language_of_the_token_and_keeps_the_citizens_own_choice(
    house: House, fresh_database: Callable[[str], str], username: str, language: str
) -> None:
    database = Database(fresh_database("profile_service"))
    settings = Settings(
        database_url=database.url,
        amqp_url="amqp://nowhere",
        public_url=PUBLIC,
        identity_url=PUBLIC,
        client_secret="secret",
        environment="test",
        confirmation_key="a-key-for-tests-that-is-long-enough-0123456789",
    )
    keys = StaticKeys(house.http.get("/identity/jwks.json").json())
    client = create_app(settings, database=database, verifier=TokenVerifier(ISSUER, keys)).test_client()
    tokens = house.tokens(username=username)

    def call(method: str, path: str, access_token: str, body: Any = None) -> str:
        headers = {"Authorization": f"Bearer {access_token}", "Idempotency-Key": str(uuid4())}
        answer = client.open(f"/api/profile/v1{path}", method=method, json=body, headers=headers)
        assert answer.json is not None
        return str(answer.json["language"])

    access_token = tokens["access_token"]
    assert call("GET", "/profile", access_token) == language
    assert call("PUT", "/profile/email", access_token, {"email": "her@courriel.example"}) == language
    renewed = house.refresh(tokens["refresh_token"]).json()["access_token"]
    assert call("GET", "/profile", renewed) == language
    assert call("PUT", "/profile/language", renewed, {"language": "en"}) == "en"
    assert call("GET", "/profile", house.tokens(username=username)["access_token"]) == "en"
    database.dispose()
