"""What is kept of a citizen, who may read it, and the end of an account (check 11)."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import UUID, uuid4

import httpx
import pytest
from flask import Flask
from sqlalchemy import select, text

from espace.db import Database
from identity_service import desk
from identity_service.accounts import Arrival, WrongMasterKey, arrive
from identity_service.app import create_app
from identity_service.settings import Settings
from identity_service.tables import CitizenRow, SessionRow
from identity_service.vault import Vault
from services.identity.tests.house import House

NUMBER = "85073003328"


def subject(house: House, access_token: str) -> UUID:
    return UUID(house.userinfo(access_token).json()["sub"])


def internal(house: House, citizen_id: UUID, token: str) -> tuple[int, dict[str, object]]:
    answer = house.http.get(
        f"/internal/v1/citizens/{citizen_id}", headers={"Authorization": f"Bearer {token}"}
    )
    return answer.status_code, answer.json()


def service_token(house: House, audience: str = "identity") -> str:
    form = {"grant_type": "client_credentials", "resource": audience}
    return str(house.token(client=("dossier", "dossier-secret"), **form).json()["access_token"])


def test_nothing_personal_is_readable_in_the_database(house: House) -> None:
    house.tokens()
    with house.database.session() as session:
        tables = session.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        ).scalars()
        dump = "".join(str(session.execute(text(f'SELECT * FROM "{table}"')).all()) for table in tables.all())
    for personal in (NUMBER, "Lucie", "Delvaux", "lucie.delvaux", "Rue de Fer"):
        assert personal not in dump


def test_logs_hold_no_personal_data(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    tokens = house.tokens()
    house.userinfo(tokens["access_token"])
    logged = capsys.readouterr().out
    assert "login.succeeded" in logged
    secrets = (*tokens.values(), NUMBER, "Delvaux", "lucie")
    assert not [value for value in secrets if isinstance(value, str) and len(value) > 10 and value in logged]


def test_sister_services_read_the_address_and_never_the_number(house: House) -> None:
    tokens = house.tokens()
    citizen_id = subject(house, tokens["access_token"])
    status, found = internal(house, citizen_id, service_token(house))
    assert status == 200
    assert found["commune_ins"] == "92094"
    assert found["email"] == "lucie.delvaux@courriel.example"
    assert NUMBER not in str(found)
    assert internal(house, uuid4(), service_token(house))[0] == 404
    assert internal(house, citizen_id, tokens["access_token"])[0] == 401
    assert internal(house, citizen_id, service_token(house, "profile"))[0] == 401


def test_an_address_the_register_did_not_give_at_login_is_asked_for_when_needed(house: House) -> None:
    original = house.simulator.view_functions.pop("register")

    def away(**_path: object) -> tuple[str, int]:
        return "", 503

    house.simulator.view_functions["register"] = away
    citizen_id = subject(house, house.tokens()["access_token"])
    assert internal(house, citizen_id, service_token(house))[1]["address"] is None
    house.simulator.view_functions["register"] = original
    assert internal(house, citizen_id, service_token(house))[1]["commune_ins"] == "92094"


def test_a_disabled_citizen_is_out_at_once_and_stays_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = house.browser()
    tokens = house.tokens(browser)
    citizen_id = subject(house, tokens["access_token"])
    run(house, monkeypatch, "disable", citizen_id)
    assert house.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert house.userinfo(tokens["access_token"]).status_code == 401
    assert "/identity/login?" in house.authorize(browser).headers["location"]
    back = browser.get(house.confirm(house.choose(browser, house.authorize(browser))))
    assert back.status_code == 403
    assert "Votre accès est suspendu" in back.text
    run(house, monkeypatch, "enable", citizen_id)
    assert house.tokens(browser)


def test_an_erased_citizen_cannot_be_read_by_anyone(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    citizen_id = subject(house, house.tokens()["access_token"])
    run(house, monkeypatch, "erase", citizen_id)
    assert internal(house, citizen_id, service_token(house))[0] == 404
    with house.database.session() as session:
        row = session.scalars(select(CitizenRow).where(CitizenRow.id == citizen_id)).one()
        assert row.wrapped_key is row.facts is row.number_hash is None
    assert subject(house, house.tokens()["access_token"]) != citizen_id


def test_with_another_master_key_nobody_becomes_a_second_citizen(house: House) -> None:
    house.tokens()
    moved = Arrival("https://other.example", "1", "Lucie", "Delvaux", None, None, NUMBER)
    with house.database.transaction() as unit:
        session = unit.session
        with pytest.raises(WrongMasterKey, match="ESPACE_NATIONAL_NUMBER_KEY"):
            arrive(session, Vault(base64.b64encode(bytes(32)).decode()), moved, None)
        known = arrive(session, Vault(house.settings.national_number_key), moved, None)
        assert [known.id] == list(session.scalars(select(CitizenRow.id)))


def test_an_unknown_citizen_is_told_by_the_exit_status(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(house, monkeypatch, "disable", uuid4()) == 1
    assert "no such citizen" in capsys.readouterr().err


def test_twenty_first_logins_at_once_make_one_citizen(
    settings: Settings, simulator: Flask, database: Database
) -> None:
    """As many browsers come back from the source in the same moment; the database lets one be the first."""
    wide = Database(database.url, pool_size=20)
    app = create_app(settings, wide, transport=httpx.WSGITransport(app=simulator))
    house, together = House(app, simulator, settings, wide), Barrier(20)
    browsers = [house.browser() for _ in range(20)]
    answers = [
        house.confirm(house.choose(one, house.authorize(one)), username="citoyen07") for one in browsers
    ]

    def come_back(number: int) -> int:
        together.wait(30)
        return browsers[number].get(answers[number]).status_code

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(come_back, range(20))) == [302] * 20
    with wide.session() as session:
        citizen = session.scalars(select(CitizenRow)).one()
        logged_in = session.scalars(select(SessionRow.citizen_id)).all()
    assert logged_in == [citizen.id] * 20
    wide.dispose()


def run(house: House, monkeypatch: pytest.MonkeyPatch, name: str, citizen_id: UUID) -> int:
    settings = house.settings
    values = {
        "DATABASE_URL": settings.database_url,
        "PUBLIC_URL": settings.public_url,
        "ENVIRONMENT": "demo",
        "NATIONAL_NUMBER_KEY": settings.national_number_key,
        "SIGNING_KEYS": settings.signing_keys,
        "CLIENTS_FILE": str(Path(settings.clients_file)),
        "UPSTREAM_ISSUER": settings.upstream_issuer,
        "UPSTREAM_CLIENT_ID": settings.upstream_client_id,
        "UPSTREAM_CLIENT_SECRET": settings.upstream_client_secret,
        "REGISTER_URL": settings.register_url,
        "REGISTER_SECRET": settings.register_secret,
    }
    for key, value in values.items():
        monkeypatch.setenv(f"ESPACE_{key}", value)
    monkeypatch.setattr(desk, "configure_logging", lambda *_names, **_options: None)
    return desk.command(name, [str(citizen_id)])
