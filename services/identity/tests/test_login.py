"""The way of a citizen through the pages, on the real simulator."""

from services.identity.tests.house import House


def test_itsme_login_brings_tokens_and_userinfo(house: House) -> None:
    tokens = house.tokens()
    assert tokens["expires_in"] == 300
    assert "refresh_token" in tokens
    assert "id_token" in tokens
    info = house.userinfo(tokens["access_token"]).json()
    assert info["name"] == "Lucie Delvaux"
    assert info["national_number"] == "85073003328"
