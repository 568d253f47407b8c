"""Four services on real databases, wired to what is in memory: bus, legal clock, mail server, object store.

A house is built once; :meth:`House.empty` makes it new for the next story.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, cast

import httpx
from flask import Flask
from sqlalchemy import MetaData, text

from deadline_scheduler_service.events import HANDLERS as SCHEDULER_HANDLERS
from deadline_scheduler_service.tables import metadata as scheduler_tables
from documents_service.commands.deposit import handlers as documents_handlers
from documents_service.desk import Desk as DocumentsDesk
from documents_service.statements import StatementSigner
from documents_service.tables import metadata as documents_tables
from dossier_service.api.context import EXTENSION, Counter
from dossier_service.app import create_app
from dossier_service.claims.practice import Desk
from dossier_service.events import handlers as dossier_handlers
from dossier_service.settings import Settings as DossierSettings
from dossier_service.statements import StatementKeys
from dossier_service.tables import metadata as dossier_tables
from espace.auth.service_tokens import ServiceTokens
from espace.bus.consumer import Handler
from espace.bus.holds import Holds
from espace.bus.relay import Relay
from espace.config import ServiceSettings
from espace.db import Database
from espace.db.tables import kit_metadata
from espace.http import ServiceClient
from espace.testing import Issuer
from espace_stack.keys import ec_pem
from notifier_service.composing import Composer
from notifier_service.events import HANDLERS as NOTIFIER_HANDLERS
from notifier_service.owners import Owners
from notifier_service.rendering import Renderer
from notifier_service.sending import Sender
from notifier_service.settings import Settings as NotifierSettings
from notifier_service.tables import metadata as notifier_tables
from tests.simulation.broker import Broker
from tests.simulation.clock import BEGINNING, SimulatedClock
from tests.simulation.commits import Commits
from tests.simulation.lines import MemoryPublisher
from tests.simulation.mail import MemoryMail
from tests.simulation.reader import Reader

PACKAGES: Final = {
    "dossier": "dossier_service",
    "scheduler": "deadline_scheduler_service",
    "documents": "documents_service",
    "notifier": "notifier_service",
}
PUBLISHERS: Final = ("dossier", "scheduler", "documents")
PUBLIC: Final = "http://localhost:8080"
_TABLES: Final = {
    "dossier": dossier_tables,
    "scheduler": scheduler_tables,
    "documents": documents_tables,
    "notifier": notifier_tables,
}


class MemoryStore:
    """Of the object store what manifests need."""

    def __init__(self) -> None:
        self.objects: dict[str, list[bytes]] = {}

    def put(self, key: str, content: bytes, *, content_type: str) -> None:
        """Keep a version."""
        self.objects.setdefault(key, []).append(content)


class House:
    """Everything a story happens in."""

    def __init__(self, address_of: Callable[[str], str]) -> None:
        self.databases = {
            service: Database(address_of(package), pool_size=3) for service, package in PACKAGES.items()
        }
        self.commits = {service: Commits(database) for service, database in self.databases.items()}
        self.clock = SimulatedClock()
        self.issuer = Issuer()
        self.signer = StatementSigner(ec_pem())
        self.dossier_desk = Desk.open()
        self.api = self._api()
        self.owners = Owners(
            self._client("profile", httpx.MockTransport(_contact)),
            self._client("dossier", httpx.WSGITransport(app=self.api)),
        )
        self._renderer = Renderer()
        self._empty = {service: _emptying(service) for service in PACKAGES}
        for database in self.databases.values():
            _hasten(database)
        self.relays: dict[str, Relay] = {}
        self.empty()

    def empty(self) -> None:
        """Forget everything."""
        for service, database in self.databases.items():
            self.commits[service].sound()
            with database.transaction() as unit:
                unit.session.execute(self._empty[service])
        for relay in self.relays.values():
            relay.close()
        self.clock.instant = BEGINNING
        self.broker, self.mail, self.store = Broker(), MemoryMail(), MemoryStore()
        self.lines = {service: MemoryPublisher(self.broker) for service in PUBLISHERS}
        self.relays = {service: self._relay(service) for service in PUBLISHERS}
        self.readers = {service: self._reader(service) for service in PACKAGES}
        self.documents_desk = DocumentsDesk(
            settings=cast(Any, None),
            database=self.databases["documents"],
            store=cast(Any, self.store),
            signer=self.signer,
            scanner=None,
        )
        self.sender = self._sender()

    def close(self) -> None:
        """Give everything back."""
        for relay in self.relays.values():
            relay.close()
        for database in self.databases.values():
            database.dispose()

    def rows(self, service: str, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """What a service's database answers."""
        with self.databases[service].session() as session:
            return [tuple(row) for row in session.execute(text(query), values)]

    def restart_relay(self, service: str) -> None:
        """Another process in its place."""
        self.relays[service].close()
        self.relays[service] = self._relay(service)

    def _relay(self, service: str) -> Relay:
        holds = Holds(clock=lambda: self.broker.seconds)
        database, late = self.databases[service], service == "scheduler"
        return Relay(service, database, "", late=late, publisher=self.lines[service], holds=holds)

    def _reader(self, service: str) -> Reader:
        handlers: dict[str, dict[str, Handler]] = {
            "dossier": dict(dossier_handlers(self.clock)),
            "scheduler": dict(SCHEDULER_HANDLERS),
            "documents": dict(documents_handlers(self.signer)),
            "notifier": dict(NOTIFIER_HANDLERS),
        }
        return Reader(service, handlers[service], self.databases[service], self.broker)

    def _sender(self) -> Sender:
        def legal_now() -> datetime:
            return self.clock.instant

        composer = Composer(self.owners, self._renderer, legal_now=legal_now, public_url=PUBLIC)
        return Sender(self.databases["notifier"], composer, self.mail, self._notifier_settings())

    def _notifier_settings(self) -> NotifierSettings:
        return NotifierSettings(
            **_common(self.databases["notifier"]),
            profile_url="http://profile.test",
            dossier_url="http://dossier.test",
            smtp_host="",
            mail_retry_scale=0,
            mail_lease_seconds=1e-6,  # whoever comes next comes after it, as real time goes
            smtp_data_timeout_seconds=0,
        )

    def _api(self) -> Flask:
        database = self.databases["dossier"]
        settings = DossierSettings(
            **_common(database), documents_url="http://documents.test", event_key=ec_pem()
        )
        app = create_app(
            settings,
            database=database,
            verifier=self.issuer.verifier(),
            identity=cast(ServiceClient, None),
            keys=StatementKeys(self.signer.jwks),
        )
        counter: Counter = app.extensions[EXTENSION]
        replace(counter, clock=self.clock, desk=self.dossier_desk).open_in(app)
        return app

    def _client(self, audience: str, transport: httpx.BaseTransport) -> ServiceClient:
        def token(_request: httpx.Request) -> httpx.Response:
            token = self.issuer.service("notifier", audience)
            return httpx.Response(200, json={"access_token": token, "expires_in": 300})

        return ServiceClient(
            audience=audience,
            base_url=f"http://{audience}.test",
            settings=self._notifier_settings(),
            tokens=ServiceTokens(
                "http://identity.test", "notifier", "", transport=httpx.MockTransport(token)
            ),
            transport=transport,
        )


def mailbox_of(citizen_id: str) -> str:
    """A citizen's confirmed address."""
    return f"{citizen_id}@citoyens.example"


def _contact(request: httpx.Request) -> httpx.Response:
    """Profile's answer about a citizen."""
    citizen_id = request.url.path.split("/")[-2]
    return httpx.Response(200, json={"email": mailbox_of(citizen_id), "language": "fr", "space": "confirmed"})


def _common(database: Database) -> dict[str, Any]:
    found = ServiceSettings(
        database_url=database.url,
        amqp_url="",
        public_url=PUBLIC,
        identity_url="http://identity.test",
        client_secret="",
        environment="test",
    )
    return dict(vars(found))


def _hasten(database: Database) -> None:
    """No machine loses power in a story: a commit need not wait for the disk."""
    with database.transaction() as unit:
        name = unit.session.execute(text("select current_database()")).scalar_one()
        unit.session.execute(text(f'alter database "{name}" set synchronous_commit = off'))
    database.dispose()


def _emptying(service: str) -> Any:
    """One statement that forgets all rows of a service."""
    found: list[MetaData] = [kit_metadata, _TABLES[service]]
    tables = [table for metadata in found for table in reversed(metadata.sorted_tables)]
    return text("".join(f"DELETE FROM {table.name};" for table in tables))
