"""Citizens read what became of their own messages."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from espace.http import database
from espace.testing import Issuer, bearer
from notifier_service.app import create_app
from notifier_service.settings import Settings

from .conftest import CITIZEN, DOSSIER, Notifier, event

PATH = "/api/notifier/v1/notifications"


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def client(make_settings: Callable[..., Settings], issuer: Issuer) -> Iterator[FlaskClient]:
    app = create_app(make_settings(), verifier=issuer.verifier())
    yield app.test_client()
    with app.app_context():
        database().dispose()


def test_own_messages_with_their_state_and_reason(
    notifier: Notifier, client: FlaskClient, issuer: Issuer, mailbox: Any
) -> None:
    notifier.receive(event("dossier.submitted"))
    notifier.sender.step()
    notifier.receive(event("profile.email_confirmation_requested"))
    notifier.receive(event("dossier.submitted", dossier_id=str(uuid4())))
    mine = bearer(issuer.citizen(CITIZEN))
    (entry,) = client.get(PATH, query_string={"dossier_id": DOSSIER}, headers=mine).get_json()
    assert (entry["template"], entry["state"], entry["reason"]) == ("receipt", "sent", None)
    assert entry["sent_at"] >= entry["created_at"]
    assert len(client.get(PATH, headers=mine).get_json()) == 3


def test_somebody_elses_dossier_has_no_messages_for_me(
    notifier: Notifier, client: FlaskClient, issuer: Issuer
) -> None:
    notifier.receive(event("dossier.submitted"))
    answer = client.get(PATH, query_string={"dossier_id": DOSSIER}, headers=bearer(issuer.citizen(uuid4())))
    assert (answer.status_code, answer.get_json()) == (200, [])


def test_nobody_and_services_are_refused(client: FlaskClient, issuer: Issuer) -> None:
    assert client.get(PATH).status_code == 401
    assert client.get(PATH, headers=bearer(issuer.service("web", "notifier"))).status_code == 401


@pytest.mark.parametrize("query", [{"dossier_id": "x"}, {"citizen_id": CITIZEN}])
def test_wrong_query_is_told(client: FlaskClient, issuer: Issuer, query: dict[str, str]) -> None:
    answer = client.get(PATH, query_string=query, headers=bearer(issuer.citizen(CITIZEN)))
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"


def test_openapi_document_is_the_one_in_the_repository(client: FlaskClient) -> None:
    kept = json.loads((Path(__file__).parents[1] / "openapi.json").read_text(encoding="utf-8"))
    assert client.get("/api/notifier/openapi.json").get_json()["paths"] == kept["paths"]
