"""Canaries: what a citizen typed is in no log line, whatever fails while it is written."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, InvalidRequestError, SQLAlchemyError
from sqlalchemy.orm import Session

from espace import telemetry, worker
from espace.bus import Incoming
from espace.bus.handling import Delivery, Handling, Retried
from espace.config import ServiceSettings
from espace.contracts import examples
from espace.db import Database, UnitOfWork
from espace.http import Blueprint, create_app, transaction
from espace.telemetry.failures import tell

NAME, STREET = "Lucie Canari", "rue des Canaris 7"
EVENT = examples("be.espace.dossier.deadline_set.v1")[0]
FAILURES = {
    "not null": "INSERT INTO people VALUES (:name, :street, NULL)",
    "unique": "INSERT INTO people VALUES (:name, :street, 1), (:name, :street, 1)",
    "check": "INSERT INTO people VALUES (:name, :street, -1)",
}
Write = Callable[[Session], None]


@pytest.fixture
def database(fresh_database: Callable[[str], str]) -> Iterator[Database]:
    made = Database(fresh_database("deadline_scheduler_service"))
    with made.transaction() as unit:
        unit.session.execute(
            text(
                "CREATE TABLE people (name text, street text, number int NOT NULL CHECK (number > 0), "
                "CONSTRAINT one_door UNIQUE (name, street))"
            )
        )
    yield made
    made.dispose()


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What was logged, after a look that none of it is personal."""
    root = logging.getLogger()
    handlers, level, before = root.handlers[:], root.level, structlog.get_config()
    with redirect_stdout(StringIO()) as written:
        telemetry.configure_logging("kit", "test", strict=True)

    def read() -> list[dict[str, Any]]:
        output = written.getvalue()
        for secret in ("Canari", "canari", "Failing row", "DETAIL", "parameters:"):
            assert secret not in output
        return [json.loads(line) for line in output.splitlines()]

    yield read
    structlog.configure(**before)
    root.handlers[:], root.level = handlers, level


def failing(statement: str) -> Write:
    def write(session: Session) -> None:
        session.execute(text(statement), {"name": NAME, "street": STREET})

    return write


def failing_twice(session: Session) -> None:
    """An error that quotes the one before it."""
    try:
        failing(FAILURES["unique"])(session)
    except IntegrityError as error:
        raise InvalidRequestError(f"Original exception was: {error.orig}") from error


WRITES = {**{name: failing(statement) for name, statement in FAILURES.items()}, "twice": failing_twice}


@pytest.mark.parametrize("name", WRITES)
def test_a_failing_request_logs_names_and_no_row(database: Database, lines: Any, name: str) -> None:
    door = Blueprint("door", __name__, service="kit", auth="public")

    @door.post("/people")
    def write() -> dict[str, Any]:
        with transaction() as unit:
            WRITES[name](unit.session)
        return {}

    nowhere = dict.fromkeys(("amqp_url", "public_url", "identity_url", "client_secret"), "http://nowhere")
    settings = ServiceSettings(database_url=database.url, environment="test", **nowhere)  # type: ignore[arg-type]
    app = create_app("kit", settings, database, [door], title="Kit")
    assert app.test_client().post("/people").status_code == 500
    (failed,) = [line for line in lines() if line["event"] == "http.failed"]
    assert "sqlalchemy.exc." in failed["exception"]
    assert "people" in failed["exception"]
    assert ", in write" in failed["exception"]


@pytest.mark.parametrize("name", WRITES)
def test_a_failing_handler_logs_names_and_no_row(database: Database, lines: Any, name: str) -> None:
    def handler(unit: UnitOfWork, _incoming: Incoming) -> None:
        WRITES[name](unit.session)

    body = json.dumps(EVENT).encode()
    handling = Handling({EVENT["type"]: handler}, database, 60)
    outcome = handling.handle(Delivery(1, SimpleNamespace(headers={}), body), threading.Event())
    assert isinstance(outcome, Retried)
    assert "Canari" not in outcome.error
    (retried,) = [line for line in lines() if line["event"] == "consumer.retried"]
    assert "psycopg.errors." in retried["exception"]


def test_a_failing_loop_logs_names_and_no_row(database: Database, lines: Any) -> None:
    stop = worker.Stop()

    def step() -> bool:
        stop.set()
        with database.transaction() as unit:
            failing_twice(unit.session)
        return False

    worker._supervise(worker.Periodic("turn", step, 0), stop)
    (failed,) = [line for line in lines() if line["event"] == "loop.failed"]
    assert failed["error"] == "sqlalchemy.exc.InvalidRequestError"


def test_a_database_error_is_told_by_its_names(database: Database) -> None:
    with pytest.raises(SQLAlchemyError) as failed, database.transaction() as unit:
        failing(FAILURES["unique"])(unit.session)
    assert tell(failed.value) == (
        "sqlalchemy.exc.IntegrityError of psycopg.errors.UniqueViolation "
        "sqlstate=23505 table=people constraint=one_door\n"
        "SQL: INSERT INTO people VALUES (%(name)s, %(street)s, 1), (%(name)s, %(street)s, 1)"
    )


def test_why_there_is_no_connection_is_told() -> None:
    with pytest.raises(psycopg.OperationalError) as away:
        psycopg.connect("postgresql://nobody@127.0.0.1:1/none")
    assert "127.0.0.1" in tell(away.value)
