"""A documents service on the real database and the real store."""

import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from documents_service.app import create_app
from documents_service.desk import Desk, open_desk
from documents_service.settings import Settings
from espace.auth import tls
from espace.db import Database
from espace.testing import Issuer, bearer
from espace_stack.testing import FreshDatabase, Objects

KEY = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    .decode()
)


@dataclass
class Service:
    """The service as a citizen's client sees it, with what stands behind it."""

    settings: Settings
    database: Database
    desk: Desk
    app: Flask
    issuer: Issuer
    citizen: uuid.UUID
    dossier: uuid.UUID

    @property
    def http(self) -> FlaskClient:
        return self.app.test_client()

    def headers(self, citizen: uuid.UUID | None = None) -> dict[str, str]:
        return bearer(self.issuer.citizen(citizen or self.citizen), Idempotency_Key=str(uuid.uuid4()))

    def post(self, path: str, body: Any = None, *, citizen: uuid.UUID | None = None) -> TestResponse:
        return self.http.post(f"/api/documents/v1{path}", json=body or {}, headers=self.headers(citizen))

    def get(self, path: str, *, citizen: uuid.UUID | None = None) -> TestResponse:
        return self.http.get(f"/api/documents/v1{path}", headers=self.headers(citizen))

    def announcement(self, content: bytes, **changed: Any) -> dict[str, Any]:
        return {
            "filename": "réclamation.pdf",
            "size": len(content),
            "content_type": "application/pdf",
            "sha256": hashlib.sha256(content).hexdigest(),
            "slot": "reclamation",
            "dossier_id": str(self.dossier),
            **changed,
        }

    def register(self, content: bytes, **changed: Any) -> TestResponse:
        return self.post("/uploads", self.announcement(content, **changed))

    def upload(self, content: bytes, **changed: Any) -> str:
        """Register and send; the document's id."""
        registered = self.register(content, **changed)
        assert registered.status_code == 201, registered.text
        answer = registered.get_json()
        sent = send(answer["form"], content)
        assert sent.status_code == 204, sent.text
        return str(answer["document_id"])

    def complete(self, document_id: str, *, citizen: uuid.UUID | None = None) -> TestResponse:
        return self.post(f"/documents/{document_id}/completion", citizen=citizen)

    def with_settings(self, **changed: Any) -> "Service":
        """The same service, configured otherwise."""
        return build(replace(self.settings, **changed), self.database, self.citizen, self.dossier)


def send(form: dict[str, Any], content: bytes, **changed: str) -> httpx.Response:
    """What a browser does with a signed form."""
    return httpx.post(
        form["url"],
        data={**form["fields"], **changed},
        files={"file": ("f", content, "application/pdf")},
        verify=tls.context(form["url"]),
    )


def build(settings: Settings, database: Database, citizen: uuid.UUID, dossier: uuid.UUID) -> Service:
    issuer = Issuer(settings.issuer)
    return Service(
        settings=settings,
        database=database,
        desk=open_desk(settings, database),
        app=create_app(settings, database=database, verifier=issuer.verifier()),
        issuer=issuer,
        citizen=citizen,
        dossier=dossier,
    )


@pytest.fixture
def make_service(fresh_database: FreshDatabase, objects: Objects) -> Iterator[Callable[..., Service]]:
    """Build a service; settings by keyword."""
    databases: list[Database] = []

    def make(**changed: Any) -> Service:
        url = fresh_database("documents_service")
        settings = Settings(
            **{
                "database_url": url,
                "amqp_url": "amqp://unused",
                "public_url": objects.url,
                "identity_url": "http://127.0.0.1:1",
                "client_secret": "unused",
                "environment": "test",
                "objects_url": objects.url,
                "objects_access_key": objects.access_key,
                "objects_secret_key": objects.secret_key,
                "bucket": objects.bucket,
                "dossier_url": "http://127.0.0.1:1",
                "statement_key": KEY,
                **changed,
            }
        )
        database = Database(url)
        databases.append(database)
        return build(settings, database, uuid.uuid4(), uuid.uuid4())

    yield make
    for database in databases:
        database.dispose()


@pytest.fixture
def service(make_service: Callable[..., Service]) -> Service:
    """A service without a scanner."""
    return make_service()
