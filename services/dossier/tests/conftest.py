"""A dossier API on a real database, its legal clock, and the people who use it."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from flask import Flask
from joserfc import jws
from joserfc.jwk import ECKey
from jsonschema import Draft202012Validator, FormatChecker
from sqlalchemy import text
from werkzeug.test import TestResponse

from dossier_service.app import create_app
from dossier_service.settings import Settings
from dossier_service.statements import StatementKeys
from espace import contracts
from espace.auth.service_tokens import ServiceTokens
from espace.clock import LegalClock, LegalTime
from espace.db import Database
from espace.http import ServiceClient
from espace.testing import Issuer

BASE = "/api/dossier/v1"
NAMUR, LIEGE, EUPEN, BERTOGNE, SOIGNIES = "92094", "62063", "63023", "82005", "55040"


class Clock:
    """The shared file of legal time."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.freeze("2024-10-15T09:00:00+02:00")

    def freeze(self, instant: str) -> None:
        """Legal time stands still at this instant."""
        LegalTime(frozen=datetime.fromisoformat(instant).astimezone(UTC)).save(self.file)

    def legal(self) -> LegalClock:
        """The clock as the worker has it."""
        return LegalClock(self.file, "test")


class Documents:
    """Signs statements as the documents service does."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", {"kid": "statements-1", "use": "sig", "alg": "ES256"})

    def keys(self) -> StatementKeys:
        """What the app verifies with."""
        return StatementKeys(lambda: {"keys": [self.key.as_dict(private=False)]})

    def statement(
        self, owner: UUID, dossier_id: str, slot: str, *, key: ECKey | None = None, **claims: Any
    ) -> str:
        """A signed statement about a new file."""
        document_id = uuid4()
        body = {
            "iss": "documents",
            "sub": str(document_id),
            "owner": str(owner),
            "dossier_id": dossier_id,
            "slot": slot,
            "filename": f"{slot} signé 🙂.pdf",
            "size": 48213,
            "sha256": hashlib.sha256(document_id.bytes).hexdigest(),
            "content_type": "application/pdf",
            "iat": 1729000000,
            **claims,
        }
        header = {"alg": "ES256", "typ": "statement+jwt", "kid": self.key.kid}
        return jws.serialize_compact(header, json.dumps(body).encode(), key or self.key, algorithms=["ES256"])


class Citizen:
    """Somebody with a token and, when asked, a stubborn client."""

    def __init__(self, app: Flask, issuer: Issuer, documents: Documents, identity: dict[str, Any]) -> None:
        self.app, self.documents, self.identity = app, documents, identity
        self.id = UUID(identity["citizen_id"])
        self.token = issuer.citizen(self.id)

    def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = None, **headers: str
    ) -> TestResponse:
        """One request; an unsafe POST gets a key of its own unless one is given."""
        all_headers = {"Authorization": f"Bearer {self.token}", **headers}
        if method == "POST":
            all_headers["Idempotency-Key"] = key or str(uuid4())
        all_headers = {name.replace("_", "-"): value for name, value in all_headers.items()}
        address = path if path.startswith("/internal") else f"{BASE}{path}"
        with self.app.test_client() as client:
            options = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
            return client.open(address, method=method, headers=all_headers, **options)

    def get(self, path: str, **headers: str) -> Any:
        """The JSON of a successful GET."""
        response = self.call("GET", path, **headers)
        assert response.status_code == 200, response.text
        return response.get_json()

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> TestResponse:
        """A POST, by default with an empty object."""
        return self.call("POST", path, {} if body is None else body, key=key)

    def open(self, procedure: str = "reclamation-electorale") -> Any:
        """A new draft."""
        response = self.post("/dossiers", {"procedure": procedure})
        assert response.status_code == 201, response.text
        return response.get_json()

    def dossier(self, dossier_id: str) -> Any:
        """The dossier's page."""
        return self.get(f"/dossiers/{dossier_id}")

    def type_in(self, dossier_id: str, **values: Any) -> Any:
        """Change values; the dossier's page."""
        version = self.dossier(dossier_id)["version"]
        response = self.call(
            "PATCH", f"/dossiers/{dossier_id}/values", {"values": values}, If_Match=f'"{version}"'
        )
        assert response.status_code == 200, response.text
        return response.get_json()

    def attach(self, dossier_id: str, slot: str = "reclamation", **claims: Any) -> TestResponse:
        """Add a file to a slot."""
        statement = self.documents.statement(self.id, dossier_id, slot, **claims)
        return self.post(f"/dossiers/{dossier_id}/attachments", {"slot": slot, "statement": statement})

    def detach(self, dossier: Any) -> Any:
        """Remove the first file of the page in hand; the dossier's page."""
        path = f"/dossiers/{dossier['id']}/attachments/{dossier['attachments'][0]['document_id']}"
        response = self.call("DELETE", path, If_Match=f'"{dossier["version"]}"')
        assert response.status_code == 200, response.text
        return response.get_json()

    def ready(self, *, drc: bool = False, **values: Any) -> Any:
        """A validated claim with its file, that only waits for « Confirmer »."""
        dossier = self.open()
        answers: dict[str, Any] = {
            "election": "communales",
            "electoral_list": "Liste 7",
            "completeness": "drc" if drc else "complete",
            "missing_pieces": "Le procès-verbal du bureau 12" if drc else None,
            "sworn_candidate": True,
            "sworn_truth": True,
            **values,
        }
        self.type_in(dossier["id"], **answers)
        validated = self.post(f"/dossiers/{dossier['id']}/validation")
        assert validated.status_code == 200, validated.text
        attached = self.attach(dossier["id"])
        assert attached.status_code == 201, attached.text
        return attached.get_json()

    def submit(self, dossier: Any, *, key: str | None = None) -> TestResponse:
        """« Confirmer », for the content of the page in hand."""
        body = {"content_sha256": dossier["content_sha256"]}
        return self.post(f"/dossiers/{dossier['id']}/submission", body, key=key)

    def add_piece(self, dossier_id: str, request_id: str, **claims: Any) -> Any:
        """Add a piece to a request; the dossier's page."""
        statement = self.documents.statement(self.id, dossier_id, "complement", **claims)
        path = f"/dossiers/{dossier_id}/information-requests/{request_id}/attachments"
        response = self.post(path, {"statement": statement})
        assert response.status_code == 201, response.text
        return response.get_json()

    def answer(self, dossier: Any, *, key: str | None = None) -> TestResponse:
        """Send the pieces of the dossier's first request."""
        request = dossier["information_requests"][0]
        path = f"/dossiers/{dossier['id']}/information-requests/{request['id']}/answer"
        return self.post(path, {"content_sha256": request["content_sha256"]}, key=key)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    """Legal time, frozen on Tuesday 15 October 2024, 09:00 in Brussels."""
    return Clock(tmp_path / "legal.json")


@pytest.fixture
def documents() -> Documents:
    """The signer of statements."""
    return Documents()


@pytest.fixture
def issuer() -> Issuer:
    """The signer of tokens."""
    return Issuer()


@pytest.fixture
def database(fresh_database: Callable[[str], str]) -> Iterator[Database]:
    """An empty, migrated database."""
    database = Database(fresh_database("dossier_service"), pool_size=10)
    yield database
    database.dispose()


@pytest.fixture
def register() -> dict[str, dict[str, Any]]:
    """What identity knows, by citizen's id."""
    return {}


@pytest.fixture(scope="session")
def event_key() -> str:
    """What signs for outsiders."""
    return ECKey.generate_key("P-256").as_pem(private=True).decode()


@pytest.fixture
def app(
    database: Database,
    clock: Clock,
    documents: Documents,
    issuer: Issuer,
    register: dict[str, dict[str, Any]],
    event_key: str,
) -> Flask:
    """The API; identity is a register in memory behind its HTTP client."""
    settings = Settings(
        database_url=database.url,
        amqp_url="",
        public_url="http://localhost:8080",
        identity_url="http://identity.test",
        client_secret="secret",
        documents_url="http://documents.test",
        event_key=event_key,
        environment="test",
        legal_clock_file=clock.file,
    )

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/identity/token":
            return httpx.Response(200, json={"access_token": "x", "expires_in": 300})
        found = register.get(request.url.path.rsplit("/", 1)[1])
        return httpx.Response(200, json=found) if found else httpx.Response(404, json={"code": "not_found"})

    transport = httpx.MockTransport(answer)
    identity = ServiceClient(
        audience="identity",
        base_url="http://identity.test",
        settings=settings,
        tokens=ServiceTokens("http://identity.test", "dossier", "secret", transport=transport),
        transport=transport,
    )
    return create_app(
        settings, database=database, verifier=issuer.verifier(), identity=identity, keys=documents.keys()
    )


@pytest.fixture
def citizen(
    app: Flask, issuer: Issuer, documents: Documents, register: dict[str, dict[str, Any]]
) -> Callable[..., Citizen]:
    """Make a citizen of a commune (INS code)."""

    def make(commune: str | None = NAMUR, **facts: Any) -> Citizen:
        citizen_id = str(uuid4())
        register[citizen_id] = {
            "citizen_id": citizen_id,
            "given_name": "Lucie",
            "family_name": "Lambert",
            "email": "lucie@example.be",
            "language": "fr",
            "address": {
                "street": "Rue de Fer",
                "number": "12",
                "postal_code": "5000",
                "locality": "Namur",
            },
            "commune_ins": commune,
            **facts,
        }
        return Citizen(app, issuer, documents, register[citizen_id])

    return make


@pytest.fixture
def events(database: Database) -> Callable[[], list[tuple[str, int, Any]]]:
    """(short type, version, data) of every event recorded so far, in order; each keeps its contract."""

    def read() -> list[tuple[str, int, Any]]:
        with database.session() as session:
            rows = session.execute(text("SELECT type, version, data FROM event_log ORDER BY position")).all()
        for row in rows:
            schema = contracts.schemas()[row.type]
            Draft202012Validator(schema, format_checker=FormatChecker()).validate(row.data)
        return [(row.type.removeprefix("be.espace.")[:-3], row.version, row.data) for row in rows]

    return read
