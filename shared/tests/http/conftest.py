"""An API with one route of each kind, on a database that has the kit's tables alone."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import fields, validate
from sqlalchemy import create_engine, text

from espace.bus import Event
from espace.config import ServiceSettings
from espace.db import Database, kit_metadata
from espace.errors import TransientError
from espace.http import (
    Blueprint,
    Problem,
    Schema,
    conditional,
    create_app,
    etag,
    idempotent,
    principal,
    require_match,
    transaction,
)
from espace.testing import Issuer
from espace_stack.servers import Addresses

CITIZEN = UUID("0b9f3d5e-64b5-4c1f-9a37-0f4a5d1f0a11")
OTHER = UUID("7a4cf3f2-9f4c-4a59-8f3d-5a2f4f0c2b22")


@pytest.fixture(scope="module")
def kit_database(parts: Addresses) -> Iterator[Database]:
    """A database of this module's own with the kit's tables and ``things``."""
    name = f"kit_{secrets.token_hex(6)}"
    admin = create_engine(parts.postgres, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    database = Database(parts.postgres.rsplit("/", 1)[0] + f"/{name}", pool_size=12)
    kit_metadata.create_all(database.engine)
    with database.engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE things (id serial PRIMARY KEY, name text NOT NULL, size integer)")
        )
    yield database
    database.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


class PartSchema(Schema):
    """A nested object."""

    length = fields.Integer(required=True, strict=True)


class ThingSchema(Schema):
    """What a test sends."""

    name = fields.String(required=True, validate=validate.Length(min=1))
    size = fields.Integer()
    parts = fields.List(fields.Nested(PartSchema))


class QuerySchema(Schema):
    """A query."""

    q = fields.String()


@dataclass
class Hooks:
    """What the test lets the routes do, and what they saw."""

    in_view: Callable[[], None] = lambda: None
    arrivals: list[tuple[str, str]] = field(default_factory=list)
    calls: int = 0


@dataclass
class Api:
    """The app and its helpers."""

    app: Flask
    issuer: Issuer
    database: Database
    hooks: Hooks

    @property
    def client(self) -> FlaskClient:
        """A new client."""
        return self.app.test_client()

    def headers(self, citizen: UUID = CITIZEN, **more: str) -> dict[str, str]:
        """Authorization, and further headers with underscores for hyphens."""
        names = {name.replace("_", "-"): value for name, value in more.items()}
        return {"Authorization": f"Bearer {self.issuer.citizen(citizen)}", **names}

    def things(self, name: str) -> int:
        """How many rows of that name there are."""
        with self.database.session() as session:
            return int(
                session.execute(text("SELECT count(*) FROM things WHERE name = :n"), {"n": name}).scalar_one()
            )


@pytest.fixture
def settings(kit_database: Database) -> ServiceSettings:
    """Settings of a service named ``kit``."""
    return ServiceSettings(
        database_url=kit_database.url,
        amqp_url="amqp://nowhere",
        public_url="http://localhost:8080",
        identity_url="http://127.0.0.1:1",
        client_secret="secret",
        environment="test",
    )


@pytest.fixture
def api(kit_database: Database, settings: ServiceSettings) -> Api:
    """A service named ``kit`` with citizens', services' and public routes."""
    issuer, hooks = Issuer(), Hooks()
    app = create_app(
        "kit", settings, kit_database, blueprints(hooks), title="Kit", verifier=issuer.verifier()
    )
    return Api(app, issuer, kit_database, hooks)


def blueprints(hooks: Hooks) -> list[Blueprint]:
    """Routes of each kind."""
    citizens = Blueprint("things", __name__, service="kit", auth="citizen", url_prefix="/api/kit/v1")
    services = Blueprint("inside", __name__, service="kit", auth="service", url_prefix="/internal/v1")
    public = Blueprint("open", __name__, service="kit", auth="public", url_prefix="/api/kit/v1/open")

    def arrived(key: str, body_hash: str) -> None:
        hooks.arrivals.append((key, body_hash))

    @citizens.post("/things")
    @idempotent(on_arrival=arrived)
    @citizens.arguments(ThingSchema)
    @citizens.response(201, ThingSchema)
    def make(body: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
        hooks.calls += 1
        with transaction() as unit:
            unit.session.execute(text("INSERT INTO things (name) VALUES (:name)"), {"name": body["name"]})
            unit.record(
                Event(type="be.espace.thing.made.v1", subject=str(principal().citizen), version=1, data={})
            )
            hooks.in_view()
        etag(7)
        return body, 201, {"Location": "/api/kit/v1/things/1", "X-Not-Kept": "1"}

    @citizens.patch("/things/<int:thing>")
    @conditional
    @citizens.arguments(ThingSchema(partial=True))
    @citizens.response(200, ThingSchema)
    def change(body: dict[str, Any], thing: int) -> dict[str, Any]:
        require_match(thing)
        with transaction() as unit:
            unit.session.execute(text("SELECT CAST(:s AS integer)"), {"s": body.get("size")})
        return body

    @citizens.get("/things")
    @citizens.arguments(QuerySchema, location="query")
    def find(query: dict[str, Any]) -> dict[str, Any]:
        hooks.in_view()
        return query

    @citizens.put("/things")
    def forget() -> None:
        require_match(1)

    @services.get("/whoami")
    def whoami() -> dict[str, Any]:
        return {"client_id": principal().client_id, "citizen_id": principal().citizen_id}

    @public.get("/")
    def hello() -> dict[str, Any]:
        return {}

    @public.get("/problem")
    def refuse() -> dict[str, Any]:
        raise Problem(409, "too_late", "Come earlier.", errors={"day": ["It is over."]}, day="2024-10-21")

    @public.get("/away")
    def away() -> dict[str, Any]:
        raise TransientError("the store is away")

    return [citizens, services, public]
