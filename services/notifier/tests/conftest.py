"""A notifier on a real database and a real mail server; the owners of the facts are a stub over HTTP."""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from espace import contracts
from espace.bus import Incoming
from espace.clock import utcnow
from espace.db import Database
from espace.testing import until
from notifier_service.events import HANDLERS
from notifier_service.sending import Sender
from notifier_service.settings import Settings
from notifier_service.tables import Attempt, Notification
from notifier_service.worker import create_sender

_spec = importlib.util.spec_from_file_location("owners_stub", Path(__file__).with_name("owners_stub.py"))
assert _spec
assert _spec.loader
owners_stub = importlib.util.module_from_spec(_spec)
sys.modules["owners_stub"] = owners_stub
_spec.loader.exec_module(owners_stub)

CITIZEN = "10000000-0000-4000-8000-000000000001"
CONFIRMATION = "10000000-0000-4000-8000-000000000002"
DOSSIER = "10000000-0000-4000-8000-000000000003"
DOCUMENT = "10000000-0000-4000-8000-000000000004"
REQUEST = "10000000-0000-4000-8000-000000000005"
ADDRESS = "lucie@citoyens.example"
PUBLIC = "http://localhost:8080"
PREFIX = "be.espace."


def dossier_facts(**changes: Any) -> dict[str, Any]:
    """A dossier as its owner describes it."""
    request = {
        "id": REQUEST,
        "state": "open",
        "late": False,
        "origin": "citizen",
        "element": "Les procès-verbaux du bureau de dépouillement",
        "due_date": "2024-10-25",
        "due_at": "2999-10-25T22:00:00Z",
        "answered_at": None,
        "reasons": {
            lang: [f"Reason one in {lang}.", f"Reason two in {lang}."] for lang in ("fr", "nl", "de", "en")
        },
    }
    request.update(changes.pop("request", {}))
    return {
        "dossier_id": DOSSIER,
        "citizen_id": CITIZEN,
        "number": "ME-2024-000001-5",
        "procedure": "reclamation-electorale",
        "titles": {
            "fr": "Introduction d’une réclamation",
            "nl": "Een bezwaar indienen",
            "de": "Einreichung einer Beschwerde",
            "en": "Filing a claim",
        },
        "state": "submitted",
        "received_at": "2024-10-21T21:59:59.900000Z",
        "documents": [
            {"document_id": DOCUMENT, "slot": "reclamation", "filename": "réclamation.pdf", "size": 48213}
        ],
        "information_requests": [request],
        **changes,
    }


def event(name: str, *, example: int = 1, id: UUID | None = None, **data: Any) -> Incoming:  # noqa: A002
    """The frozen example of a contract as the consumer hands it over, with its own id."""
    envelope = contracts.examples(f"{PREFIX}{name}.v1")[example - 1]
    return Incoming(
        id=id or uuid4(),
        type=envelope["type"],
        source=envelope["source"],
        subject=envelope["subject"],
        version=envelope["aggregateversion"],
        time=utcnow(),
        data={**envelope["data"], **data},
        request_id="req-0000000000000001",
    )


@dataclass
class Notifier:
    """What tests drive."""

    database: Database
    settings: Settings
    owners: Any
    sender: Sender = field(init=False)

    def __post_init__(self) -> None:
        self.sender = create_sender(self.settings, self.database)

    def receive(self, incoming: Incoming) -> None:
        """Handle an event as the consumer does, without its inbox."""
        with self.database.transaction() as unit:
            HANDLERS[incoming.type](unit, incoming)

    def rows(self) -> list[Notification]:
        """Every message."""
        with self.database.session() as session:
            return list(session.scalars(select(Notification).order_by(Notification.created_at)))

    def attempts(self) -> list[Attempt]:
        """Every attempt."""
        with self.database.session() as session:
            return list(session.scalars(select(Attempt).order_by(Attempt.id)))

    def send_until(self, done: Callable[[Notification], bool], seconds: float = 20) -> Notification:
        """Run the loop's step until the only message satisfies ``done``."""

        def told() -> str:
            (row,) = self.rows()
            return f"what is wanted of {(row.state, row.reason, row.attempts)}"

        def step() -> Notification | None:
            self.sender.step()
            (row,) = self.rows()
            return row if done(row) else None

        return until(told, step, seconds)


@pytest.fixture
def owners() -> Iterator[Any]:
    """The owners, knowing one citizen, one confirmation and one dossier."""
    with owners_stub.Server() as server:
        stub = server.stub
        stub.contact(CITIZEN, ADDRESS)
        stub.dossier(dossier_facts())
        stub.confirmation(
            CONFIRMATION,
            email="nora@citoyens.example",
            language="nl",
            link=f"{PUBLIC}/confirmation/abc.def",
            expires_at="2999-10-16T07:00:00Z",
            state="open",
        )
        yield stub


@pytest.fixture
def make_settings(fresh_database: Callable[[str], str], mailbox: Any, owners: Any) -> Callable[..., Settings]:
    """Settings over a fresh database, the mailbox and the stub, with quick retries."""
    url = fresh_database("notifier_service")

    def make(**changes: Any) -> Settings:
        values: Mapping[str, Any] = {
            "database_url": url,
            "amqp_url": "amqp://nobody",
            "public_url": PUBLIC,
            "identity_url": owners.url,
            "client_secret": "secret",
            "environment": "test",
            "profile_url": owners.url,
            "dossier_url": owners.url,
            "smtp_host": mailbox.smtp_host,
            "smtp_port": mailbox.smtp_port,
            "mail_retry_scale": 0.01,
            "mail_lease_seconds": 20.0,
            "smtp_timeout_seconds": 2.0,
            "smtp_data_timeout_seconds": 2.0,
            **changes,
        }
        return Settings(**values)

    return make


@pytest.fixture
def notifier(make_settings: Callable[..., Settings], owners: Any) -> Iterator[Notifier]:
    """A notifier whose loop the test steps."""
    settings = make_settings()
    database = Database(settings.database_url, application_name="notifier-test")
    yield Notifier(database, settings, owners)
    database.dispose()
