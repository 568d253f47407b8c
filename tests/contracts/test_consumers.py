"""Every consumer acts on each frozen example of its types, once, and ignores what it does not know."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Row, Table, func, insert, select

from deadline_scheduler_service.events import HANDLERS as SCHEDULER
from deadline_scheduler_service.tables import deadlines, reminders
from documents_service.commands.deposit import handlers as documents_handlers
from documents_service.statements import StatementSigner
from documents_service.tables import documents, manifests
from dossier_service.events import handlers as dossier_handlers
from dossier_service.tables import document_scans, dossiers, information_requests
from espace import contracts
from espace.bus import topology
from espace.bus.consumer import Handler
from espace.bus.handling import Delivery, Handled, Handling
from espace.clock import LegalClock, LegalTime
from espace.db import Database
from espace.db.tables import event_log
from espace_stack.keys import ec_pem
from notifier_service.events import HANDLERS as NOTIFIER
from notifier_service.tables import Notification

CITIZEN, DOSSIER, DOCUMENT, REQUEST = (UUID(f"10000000-0000-4000-8000-00000000000{n}") for n in (1, 3, 4, 5))
DEPOSITED = datetime(2024, 10, 21, 12, tzinfo=UTC)
DUE = datetime(2024, 10, 25, 22, tzinfo=UTC)
Example = Mapping[str, Any]
Step = Callable[[Connection, Example], None]


def open_request(connection: Connection, _example: Example) -> None:
    """A deposited dossier that waits for further information."""
    connection.execute(
        insert(dossiers).values(
            id=DOSSIER,
            citizen_id=CITIZEN,
            procedure="reclamation-electorale",
            procedure_version=1,
            prefilled={},
            typed={},
            state="submitted",
            version=2,
            created_at=DEPOSITED,
            saved_at=DEPOSITED,
            received_at=DEPOSITED,
        )
    )
    connection.execute(
        insert(information_requests).values(
            id=REQUEST,
            dossier_id=DOSSIER,
            origin="citizen",
            element="my diploma",
            opened_at=DEPOSITED,
            due_date=date(2024, 10, 25),
            due_at=DUE,
            reasons={},
            state="open",
            deadline_version=1,
            late=False,
        )
    )


def lapsed(connection: Connection, _example: Example) -> None:
    assert one(connection, information_requests).state == "lapsed"
    assert published(connection) == [("be.espace.dossier.information_request_lapsed.v1", {})]


def reminded(connection: Connection, example: Example) -> None:
    assert one(connection, information_requests).state == "open"
    days = {"days_before": example["data"]["days_before"]}
    assert published(connection, "days_before") == [("be.espace.dossier.reminder_due.v1", days)]


def scan_known(connection: Connection, example: Example) -> None:
    row = one(connection, document_scans)
    assert row.document_id == DOCUMENT
    assert (row.outcome, row.version) == (example["data"]["outcome"], example["aggregateversion"])


def held_document(connection: Connection, _example: Example) -> None:
    """The verified upload that the examples name."""
    connection.execute(
        insert(documents).values(
            id=DOCUMENT,
            owner_id=CITIZEN,
            dossier_id=DOSSIER,
            slot="reclamation",
            filename="claim.pdf",
            size=48213,
            sha256="ab" * 32,
            declared_type="application/pdf",
            content_type="application/pdf",
            created_at=DEPOSITED,
            expires_at=DEPOSITED,
            state="verified",
            verified_at=DEPOSITED,
            scan="clean",
            scan_attempts=1,
            version=1,
        )
    )


def kept_for_good(connection: Connection, example: Example) -> None:
    """What the platform filed with itself leaves nothing."""
    if example["data"].get("synthetic"):
        assert connection.execute(select(manifests)).all() == []
        return
    row = one(connection, manifests)
    manifest = json.loads(row.body)["manifest"]
    listed = example["data"]["documents"]
    assert (row.dossier_id, str(row.event_id)) == (DOSSIER, example["id"])
    assert (manifest["event_id"], manifest["received_at"]) == (example["id"], example["data"]["received_at"])
    assert [(entry["document_id"], entry["held"]) for entry in manifest["documents"]] == [
        (entry["document_id"], True) for entry in listed
    ]
    deposited = datetime.fromisoformat(example["time"]) if listed else None
    assert one(connection, documents).deposited_at == deposited


def message(template: str) -> Step:
    def wanted(connection: Connection, example: Example) -> None:
        row = one(connection, Notification.__table__)  # type: ignore[arg-type]
        dossier = example["data"].get("dossier_id")
        assert (row.template, row.recipient_id, row.state) == (template, CITIZEN, "created")
        assert row.dossier_id == (UUID(dossier) if dossier else None)
        assert (str(row.event_id), row.request_id) == (example["id"], example.get("requestid"))
        assert row.facts.items() >= example["data"].items()

    return wanted


def deadline_kept(connection: Connection, example: Example) -> None:
    row = one(connection, deadlines)
    assert (row.id, row.version, row.owner, row.state) == (
        *(REQUEST, example["aggregateversion"]),
        *("dossier", "kept"),
    )
    assert (row.kind, row.due_at) == (example["data"]["kind"], DUE)
    found = connection.execute(select(reminders.c.days_before, reminders.c.remind_at, reminders.c.state))
    assert [tuple(each) for each in found] == [
        (wish["days_before"], datetime.fromisoformat(wish["remind_at"]), "waiting")
        for wish in example["data"]["reminders"]
    ]


def deadline_withdrawn(connection: Connection, example: Example) -> None:
    row = one(connection, deadlines)
    assert (row.id, row.version, row.state) == (REQUEST, example["aggregateversion"], "withdrawn")
    assert row.reason == example["data"]["reason"]


def nothing(_connection: Connection, _example: Example) -> None:
    """No row is needed."""


EFFECTS: Mapping[tuple[str, str], tuple[Step, Step]] = {
    ("dossier", "be.espace.deadline.expired.v1"): (open_request, lapsed),
    ("dossier", "be.espace.deadline.reminder_due.v1"): (open_request, reminded),
    ("dossier", "be.espace.document.scanned.v1"): (nothing, scan_known),
    ("documents", "be.espace.dossier.submitted.v1"): (held_document, kept_for_good),
    ("documents", "be.espace.dossier.information_provided.v1"): (held_document, kept_for_good),
    **{
        ("notifier", f"be.espace.{name}.v1"): (nothing, message(template))
        for name, template in {
            "profile.email_confirmation_requested": "space_confirmation",
            "dossier.submitted": "receipt",
            "dossier.information_requested": "drc_opened",
            "dossier.information_provided": "drc_answered",
            "dossier.information_request_lapsed": "drc_lapsed",
            "dossier.reminder_due": "drc_reminder",
        }.items()
    },
    ("scheduler", "be.espace.dossier.deadline_set.v1"): (nothing, deadline_kept),
    ("scheduler", "be.espace.dossier.deadline_withdrawn.v1"): (nothing, deadline_withdrawn),
}
"""(service, type) → the rows that are there before, and the look at what the example changed."""

PACKAGES = {
    "dossier": "dossier_service",
    "documents": "documents_service",
    "notifier": "notifier_service",
    "scheduler": "deadline_scheduler_service",
}
NOW = {"be.espace.deadline.expired.v1": DUE}
"""Legal time where it matters; else half a day after the deposit."""


def one(connection: Connection, table: Table) -> Row[Any]:
    return connection.execute(select(table)).one()


def published(connection: Connection, *names: str) -> list[tuple[str, dict[str, Any]]]:
    """What the handler recorded: types, and those members of the data."""
    rows = connection.execute(select(event_log.c.type, event_log.c.data).order_by(event_log.c.position))
    return [(row.type, {name: row.data[name] for name in names}) for row in rows]


def handler(service: str, event_type: str, clock: LegalClock) -> Handler:
    found: Mapping[str, Mapping[str, Handler]] = {
        "dossier": dossier_handlers(clock),
        "documents": documents_handlers(StatementSigner(ec_pem())),
        "notifier": NOTIFIER,
        "scheduler": SCHEDULER,
    }
    return found[service][event_type]


@pytest.fixture
def database(service: str, fresh_database: Callable[[str], str]) -> Iterator[Database]:
    made = Database(fresh_database(PACKAGES[service]), application_name="contracts")
    yield made
    made.dispose()


@pytest.mark.parametrize(
    ("service", "event_type", "number"),
    [
        (service, event_type, number)
        for service, event_type in EFFECTS
        for number in range(len(contracts.examples(event_type)))
    ],
)
def test_an_example_with_fields_it_does_not_know_takes_effect_once(
    database: Database, service: str, event_type: str, number: int, tmp_path: Path
) -> None:
    example = contracts.examples(event_type)[number]
    before, look = EFFECTS[service, event_type]
    LegalTime(frozen=NOW.get(event_type, DEPOSITED.replace(hour=23))).save(tmp_path / "clock.json")
    clock = LegalClock(tmp_path / "clock.json", "test")
    with database.engine.begin() as connection:
        before(connection, example)
    newer = {**example, "laterfield": "x", "data": {**example["data"], "later_field": [1]}}
    delivery = Delivery(1, SimpleNamespace(headers={}), json.dumps(newer).encode())
    handling = Handling({event_type: handler(service, event_type, clock)}, database, 60)
    for duplicate in (False, True):
        assert handling.handle(delivery, threading.Event()) == Handled(duplicate=duplicate)
        with database.engine.connect() as connection:
            look(connection, example)
            assert connection.scalars(select(func.count()).select_from(event_log)).one() <= 1


def test_every_subscription_has_its_effect_looked_at() -> None:
    wanted = {(service, name) for service, names in topology.SUBSCRIPTIONS.items() for name in names}
    assert EFFECTS.keys() == wanted
