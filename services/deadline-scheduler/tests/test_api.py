"""The one route: for services only."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deadline_scheduler_service.app import create_app
from deadline_scheduler_service.settings import Settings
from espace.http import routes
from espace.testing import Issuer

OPENAPI = Path(__file__).parents[1] / "openapi.json"


@pytest.fixture
def client(scheduler: Any) -> Any:
    settings = Settings(
        database_url=scheduler.database.url,
        amqp_url="amqp://127.0.0.1:1/",
        public_url="http://localhost:8080",
        identity_url="http://localhost:1",
        client_secret="secret",
        environment="test",
    )
    return create_app(settings, database=scheduler.database, verifier=Issuer().verifier()).test_client()


def get(client: Any, identity: object, token: str | None) -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.get(f"/internal/v1/deadlines/{identity}", headers=headers)


def test_a_service_reads_a_deadline_and_what_became_of_its_reminders(scheduler: Any, client: Any) -> None:
    identity = uuid4()
    scheduler.set(identity, "2024-10-25T22:00:00Z", (1, "2024-10-24T07:00:00Z"))
    answer = get(client, identity, Issuer().service("dossier", "scheduler"))
    assert answer.status_code == 200
    assert answer.json["state"] == "kept"
    assert answer.json["due_at"] == "2024-10-25T22:00:00+00:00"
    assert [(r["days_before"], r["state"]) for r in answer.json["reminders"]] == [(1, "waiting")]


def test_a_tombstone_has_no_instant(scheduler: Any, client: Any) -> None:
    identity = uuid4()
    scheduler.withdraw(identity)
    answer = get(client, identity, Issuer().service("dossier", "scheduler"))
    assert (answer.json["state"], answer.json["due_at"]) == ("withdrawn", None)


def test_an_unknown_deadline_is_a_problem(client: Any) -> None:
    answer = get(client, uuid4(), Issuer().service("dossier", "scheduler"))
    assert (answer.status_code, answer.json["code"]) == (404, "deadline_unknown")


@pytest.mark.parametrize("who", ["nobody", "a citizen", "a service meant elsewhere"])
def test_nobody_else_reads_it(client: Any, who: str) -> None:
    tokens = {
        "nobody": None,
        "a citizen": Issuer().citizen(uuid4()),
        "a service meant elsewhere": Issuer().service("dossier", "profile"),
    }
    assert get(client, uuid4(), tokens[who]).status_code in (401, 403)


def test_there_is_no_other_route(client: Any) -> None:
    assert [route for route in routes(client.application) if route[2] != "inside"] == [
        ("GET", "/api/scheduler/openapi.json", "public"),
        ("GET", "/internal/v1/deadlines/<uuid:deadline_id>", "service"),
    ]


def test_the_openapi_document_is_the_one_in_the_repository(client: Any) -> None:
    assert client.get("/api/scheduler/openapi.json").json == json.loads(OPENAPI.read_text("utf-8"))
