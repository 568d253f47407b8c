"""The profile service's API on a real database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import text

from espace.db import Database
from espace.testing import Issuer
from profile_service.app import create_app
from profile_service.settings import Settings

KEY = "a-key-for-tests-that-is-long-enough-0123456789"


@dataclass
class Service:
    """The app, and what a test asks of it."""

    app: Flask
    settings: Settings
    database: Database
    issuer: Issuer

    def call(self, citizen: UUID, method: str, path: str, body: Any = None) -> Any:
        """A citizen's request."""
        headers = {"Authorization": f"Bearer {self.issuer.citizen(citizen)}", "Idempotency-Key": str(uuid4())}
        return self.app.test_client().open(
            f"/api/profile/v1{path}", method=method, json=body, headers=headers
        )

    def profile(self, citizen: UUID) -> dict[str, Any]:
        """A citizen's profile."""
        found: dict[str, Any] = self.call(citizen, "GET", "/profile").json
        return found

    def internal(self, path: str, client: str = "notifier") -> Any:
        """Another service's request."""
        headers = {"Authorization": f"Bearer {self.issuer.service(client, 'profile')}"}
        return self.app.test_client().get(f"/internal/v1{path}", headers=headers)

    def use(self, token: str) -> Any:
        """Use a link."""
        return self.app.test_client().post("/api/profile/v1/email-confirmations", json={"token": token})

    def events(self, citizen: UUID) -> list[tuple[str, int, dict[str, Any]]]:
        """What was recorded about a citizen: type, version and data, in order."""
        query = text("SELECT type, version, data FROM event_log WHERE subject = :s ORDER BY position")
        with self.database.session() as session:
            return [tuple(row) for row in session.execute(query, {"s": str(citizen)})]

    def token(self, citizen: UUID) -> str:
        """The token of the link in the last message, asked for as the notifier does."""
        (_, _, data) = [e for e in self.events(citizen) if "email_confirmation" in e[0]][-1]
        link: str = self.internal(f"/confirmations/{data['confirmation_id']}").json["link"]
        return link.rpartition("/")[2]

    def later(self, citizen: UUID, seconds: int) -> None:
        """Let time pass, by moving what is stored into the past; the link's token follows its row."""
        with self.database.transaction() as unit:
            unit.session.execute(
                text(
                    "UPDATE confirmations SET created_at = created_at - make_interval(secs => :s), "
                    "expires_at = expires_at - make_interval(secs => :s) WHERE citizen_id = :c"
                ),
                {"s": seconds, "c": citizen},
            )


@pytest.fixture
def service(fresh_database: Callable[[str], str]) -> Iterator[Service]:
    """A profile service of the test's own."""
    settings = Settings(
        database_url=fresh_database("profile_service"),
        amqp_url="amqp://nowhere",
        public_url="http://localhost:8080",
        identity_url="http://127.0.0.1:1",
        client_secret="secret",
        environment="test",
        confirmation_key=KEY,
    )
    database = Database(settings.database_url, pool_size=12)
    issuer = Issuer()
    app = create_app(settings, database=database, verifier=issuer.verifier())
    yield Service(app, settings, database, issuer)
    database.dispose()


@pytest.fixture
def citizen() -> UUID:
    """Somebody new."""
    return uuid4()
