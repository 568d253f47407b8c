"""Every consumer understands each frozen example of its types, and ignores what it does not know."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deadline_scheduler_service.events import HANDLERS as SCHEDULER
from documents_service.commands.deposit import handlers as documents_handlers
from documents_service.statements import Signer
from dossier_service.events import handlers as dossier_handlers
from espace import contracts
from espace.bus import topology
from espace.bus.consumer import Handler
from espace.bus.event import decode
from espace.clock import LegalClock
from espace.db import Database
from notifier_service.events import HANDLERS as NOTIFIER

PACKAGES = {
    "dossier": "dossier_service",
    "documents": "documents_service",
    "notifier": "notifier_service",
    "scheduler": "deadline_scheduler_service",
}
CASES = [
    (service, name) for service, names in sorted(topology.SUBSCRIPTIONS.items()) for name in sorted(names)
]


@pytest.fixture
def handlers() -> Mapping[str, Mapping[str, Handler]]:
    """What each service's consumer is given."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {
        "dossier": dossier_handlers(LegalClock(None, "test")),
        "documents": documents_handlers(Signer(pem)),
        "notifier": NOTIFIER,
        "scheduler": SCHEDULER,
    }


@pytest.fixture
def open_database(fresh_database: Callable[[str], str]) -> Iterator[Callable[[str], Database]]:
    opened: list[Database] = []

    def open_(service: str) -> Database:
        opened.append(Database(fresh_database(PACKAGES[service]), application_name="contracts"))
        return opened[-1]

    yield open_
    for database in opened:
        database.engine.dispose()


@pytest.mark.parametrize(("service", "event_type"), CASES)
def test_a_consumer_understands_each_example_with_fields_it_does_not_know(
    service: str,
    event_type: str,
    handlers: Mapping[str, Mapping[str, Handler]],
    open_database: Callable[[str], Database],
) -> None:
    database = open_database(service)
    for example in contracts.examples(event_type):
        newer: dict[str, Any] = {
            **example,
            "laterfield": "x",
            "data": {**example["data"], "later_field": [1]},
        }
        for _ in range(2):  # twice: what is handled already changes nothing and raises nothing
            with database.transaction() as unit:
                handlers[service][event_type](unit, decode(json.dumps(newer)))
