"""Fixtures: identity on a real database, with the real simulator in the same process as its login source."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from flask import Flask

import login_simulator.app
import login_simulator.settings
from espace.db import Database
from identity_service.app import create_app
from identity_service.settings import Settings
from services.identity.tests.house import CLIENTS, ISSUER, PUBLIC, SOURCE, House, new_key
from services.identity.tests.processes import running_identity


@pytest.fixture(scope="session")
def signing_key() -> str:
    return new_key()


@pytest.fixture
def database(fresh_database: Callable[[str], str]) -> Iterator[Database]:
    found = Database(fresh_database("identity_service"))
    yield found
    found.dispose()


@pytest.fixture
def settings(database: Database, signing_key: str, tmp_path: Path) -> Settings:
    file = tmp_path / "clients.json"
    file.write_text(json.dumps(CLIENTS), encoding="utf-8")
    return Settings(
        database_url=database.url,
        public_url=PUBLIC,
        environment="test",
        national_number_key=b64encode(bytes(range(32))).decode(),
        signing_keys=signing_key,
        clients_file=file,
        upstream_issuer=SOURCE,
        upstream_status_url=f"{SOURCE}/status",
        upstream_client_id="identity",
        upstream_client_secret="source-secret",
        register_url=SOURCE,
        register_secret="register-secret",
        forms_per_minute=10_000,
    )


@pytest.fixture
def simulator() -> Flask:
    return login_simulator.app.create_app(
        login_simulator.settings.Settings(
            public_url=SOURCE,
            client_id="identity",
            client_secret="source-secret",
            redirect_uris=(f"{ISSUER}/callback",),
            register_secret="register-secret",
        )
    )


@pytest.fixture
def house(database: Database, settings: Settings, simulator: Flask) -> House:
    app = create_app(settings, database, transport=httpx.WSGITransport(app=simulator))
    return House(app, simulator, settings, database)


@pytest.fixture
def issuer(fresh_database: Callable[[str], str], signing_key: str, tmp_path: Path) -> Iterator[str]:
    """Identity and the simulator, each a process; the issuer."""
    with running_identity(fresh_database("identity_service"), signing_key, tmp_path) as found:
        yield found
