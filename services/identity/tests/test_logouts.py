"""Back-channel logout: told once it can be told, with a token as the specification wants it (check 19)."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
from joserfc import jwt
from sqlalchemy import select, update

from espace.clock import utcnow
from identity_service import worker
from identity_service.clients import ClientRegistry
from identity_service.logouts import EVENT, Deliverer
from identity_service.signing import SigningKeys
from identity_service.tables import LoginRow, LogoutRow
from services.identity.tests.house import ISSUER, House


class Web:
    """A client that takes logout tokens, or does not."""

    def __init__(self) -> None:
        self.status = 200
        self.tokens: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "http://web.test/connexion/backchannel"
        self.tokens.append(parse_qs(request.content.decode())["logout_token"][0])
        if self.status == 0:
            raise httpx.ConnectError("away", request=request)
        return httpx.Response(self.status)


def deliverer(house: House, web: Web) -> Deliverer:
    return Deliverer(
        house.database,
        ClientRegistry.read(house.settings.clients_file),
        SigningKeys(house.settings.signing_keys),
        ISSUER,
        httpx.Client(transport=httpx.MockTransport(web)),
    )


def log_out(house: House) -> dict[str, Any]:
    browser = house.browser()
    tokens = house.tokens(browser)
    browser.get("/identity/logout", params={"id_token_hint": tokens["id_token"]})
    keys = SigningKeys(house.settings.signing_keys).all
    return dict(jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims)


def test_the_logout_token_is_as_specified(house: House) -> None:
    web, login = Web(), log_out(house)
    assert deliverer(house, web).step() is True
    found = jwt.decode(web.tokens[0], SigningKeys(house.settings.signing_keys).all, algorithms=["RS256"])
    assert found.header["typ"] == "logout+jwt"
    assert found.claims["events"] == {EVENT: {}}
    assert (found.claims["sid"], found.claims["sub"]) == (login["sid"], login["sub"])
    assert (found.claims["iss"], found.claims["aud"]) == (ISSUER, "web")
    assert "nonce" not in found.claims
    assert found.claims["exp"] - found.claims["iat"] <= 120
    assert deliverer(house, web).step() is False


def test_a_client_that_is_away_is_told_later_with_a_new_token(house: House) -> None:
    web = Web()
    log_out(house)
    for status in (0, 500, 302, 200):
        web.status = status
        with house.database.transaction() as unit:
            unit.session.execute(update(LogoutRow).values(next_attempt_at=utcnow()))
        assert deliverer(house, web).step() is True
    assert deliverer(house, web).step() is False
    assert len(set(web.tokens)) == 4
    with house.database.session() as session:
        assert [row.outcome for row in session.scalars(select(LogoutRow))] == ["delivered"]


def test_between_two_tries_there_is_a_pause_and_an_end(house: House) -> None:
    web = Web()
    web.status = 500
    log_out(house)
    assert deliverer(house, web).step() is True
    assert deliverer(house, web).step() is False
    with house.database.transaction() as unit:
        old = utcnow() - timedelta(hours=13)
        unit.session.execute(update(LogoutRow).values(next_attempt_at=utcnow(), created_at=old))
    assert deliverer(house, web).step() is True
    with house.database.session() as session:
        assert [row.outcome for row in session.scalars(select(LogoutRow))] == ["given up"]


def test_old_rows_are_forgotten_and_living_ones_kept(house: House) -> None:
    tokens = house.tokens()
    house.authorize(house.browser())
    with house.database.transaction() as unit:
        unit.session.execute(update(LoginRow).values(expires_at=utcnow() - timedelta(seconds=1)))
    worker.forget(house.database)
    with house.database.session() as session:
        assert session.scalars(select(LoginRow)).all() == []
    assert house.refresh(tokens["refresh_token"]).status_code == 200
