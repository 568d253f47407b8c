"""A scheduler on a real database, with a legal clock that tests set."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from deadline_scheduler_service.events import HANDLERS
from deadline_scheduler_service.firing import fire_due
from espace.bus import Incoming
from espace.clock import LegalClock, LegalTime
from espace.db import Database
from espace.testing import until

START = datetime(2024, 10, 22, 8, 0, tzinfo=UTC)


class Scheduler:
    """The scheduler's commands and its tick, without a broker."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.database = Database(url, pool_size=6, application_name="test")
        self.clock_file = folder / "legal.json"
        self.freeze(START)
        self.clock = LegalClock(self.clock_file, "test")
        self._processes: list[subprocess.Popen[bytes]] = []

    def freeze(self, instant: datetime) -> None:
        LegalTime(frozen=instant).save(self.clock_file)

    def set(self, deadline_id: UUID, due_at: str, *wishes: tuple[int, str], version: int = 1) -> None:
        reminders = [{"days_before": days, "remind_at": at} for days, at in wishes]
        data = {
            "deadline_id": str(deadline_id),
            "kind": "information_request",
            "due_at": due_at,
            "reminders": reminders,
        }
        self.receive("be.espace.dossier.deadline_set.v1", version, data)

    def withdraw(self, deadline_id: UUID, version: int = 2) -> None:
        data = {"deadline_id": str(deadline_id), "reason": "answered"}
        self.receive("be.espace.dossier.deadline_withdrawn.v1", version, data)

    def receive(self, type_: str, version: int, data: dict[str, Any]) -> None:
        incoming = Incoming(
            id=uuid4(),
            type=type_,
            source="/espace/dossier",
            subject=data["deadline_id"],
            version=version,
            time=START,
            data=data,
        )
        with self.database.transaction() as unit:
            HANDLERS[type_](unit, incoming)

    def tick(self) -> None:
        while fire_due(self.database, self.clock):
            pass

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        with self.database.session() as session:
            return [dict(row) for row in session.execute(text(statement), values).mappings()]

    def published(self) -> list[dict[str, Any]]:
        """What the relay would publish, in order."""
        return self.rows("SELECT e.* FROM outbox JOIN event_log e USING (position) ORDER BY position")

    def types(self) -> list[str]:
        return [row["type"].removeprefix("be.espace.") for row in self.published()]

    def deadline(self, deadline_id: UUID) -> dict[str, Any]:
        (row,) = self.rows("SELECT * FROM deadlines WHERE id = :id", id=deadline_id)
        return row

    def reminders(self, deadline_id: UUID) -> list[tuple[int, int, str, str | None]]:
        rows = self.rows("SELECT * FROM reminders WHERE deadline_id = :id ORDER BY remind_at", id=deadline_id)
        return [(row["version"], row["days_before"], row["state"], row["reason"]) for row in rows]

    def process(self, *loops: str, amqp_url: str = "amqp://127.0.0.1:1/") -> "subprocess.Popen[bytes]":
        """The service's own worker."""
        environment = {
            **os.environ,
            "ESPACE_DATABASE_URL": self.database.url,
            "ESPACE_AMQP_URL": amqp_url,
            "ESPACE_PUBLIC_URL": "http://localhost",
            "ESPACE_IDENTITY_URL": "http://localhost",
            "ESPACE_CLIENT_SECRET": "secret",
            "ESPACE_ENVIRONMENT": "test",
            "ESPACE_LEGAL_CLOCK_FILE": str(self.clock_file),
            "ESPACE_CRASH_DIR": str(self.folder),
        }
        with (self.folder / "worker.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "deadline_scheduler_service", "worker", *loops],
                env=environment,
                stdout=log,
                stderr=log,
            )
        self._processes.append(process)
        return process

    def close(self) -> None:
        """End what a failed test has left running: it would take the next one's messages."""
        for process in self._processes:
            process.kill()
            process.wait()
        self.database.dispose()

    def log(self, event: str) -> list[dict[str, Any]]:
        lines = (self.folder / "worker.log").read_text().splitlines()
        told = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
        return [line for line in told if line["event"] == event]

    def until(self, what: str, probe: Callable[[], object]) -> None:
        """Wait for what a worker does; in vain, its log tells why."""

        def named() -> str:
            log = self.folder / "worker.log"
            return f"{what}; the worker told:\n{log.read_text()[-3000:] if log.exists() else 'nothing'}"

        until(named, probe)


@pytest.fixture
def scheduler(fresh_database: Callable[[str], str], tmp_path: Path) -> Iterator[Scheduler]:
    made = Scheduler(fresh_database("deadline_scheduler_service"), tmp_path)
    yield made
    made.close()
