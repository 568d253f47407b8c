"""A database and a virtual host for each test, and hands to work with them."""

import json
import os
import secrets
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import UUID

import pika
import pytest
import structlog
from sqlalchemy import text

from espace.bus import Event
from espace.bus.consumer import declare
from espace.bus.event import encode
from espace.db import Database, migrations
from espace.telemetry.logs import check_name
from espace.worker import Loop, Stop
from espace_stack.reaper import reaped
from espace_stack.servers import Addresses, Servers, together
from espace_stack.testing.servers import limited, virtual_host
from shared.tests.bus.facts import SET, a_fact

WORKER = Path(__file__).parent / "effects_worker.py"


class Bus:
    """One service that publishes as ``dossier`` and consumes as ``scheduler``."""

    def __init__(self, database_url: str, amqp_url: str, management: str, folder: Path) -> None:
        self.management = management
        self.database = Database(database_url, pool_size=8, application_name="test")
        self.amqp_url = amqp_url
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        with self.database.transaction() as unit:
            unit.session.execute(text("CREATE TABLE IF NOT EXISTS effects (event_id uuid NOT NULL)"))

    # --- publishing ---
    def event(self) -> Event:
        return a_fact()

    def record(self, count: int = 1, type_: str = SET) -> list[UUID]:
        events = [a_fact(type_) for _ in range(count)]
        with self.database.transaction() as unit:
            for event in events:
                unit.record(event)
        return [event.id for event in events]

    def put(self, queue: str, body: bytes, **properties: object) -> None:
        self._publish(queue, [(body, properties)])

    def fill(self, queue: str, documents: list[dict[str, object]]) -> None:
        self._publish(queue, [(encode(document), {"message_id": document["id"]}) for document in documents])

    def _publish(self, queue: str, messages: list[tuple[bytes, dict[str, object]]]) -> None:
        with pika.BlockingConnection(pika.URLParameters(self.amqp_url)) as connection:
            channel = connection.channel()
            declare(channel)
            channel.confirm_delivery()
            for body, properties in messages:
                options = pika.BasicProperties(delivery_mode=2, **properties)
                channel.basic_publish("", queue, body, options, mandatory=True)

    # --- looking ---
    def effects(self) -> Counter[UUID]:
        with self.database.session() as session:
            return Counter(session.execute(text("SELECT event_id FROM effects")).scalars())

    def count(self, table: str) -> int:
        with self.database.session() as session:
            return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())

    def depth(self, queue: str) -> int:
        with pika.BlockingConnection(pika.URLParameters(self.amqp_url)) as connection:
            channel = connection.channel()
            declare(channel)
            return int(channel.queue_declare(queue, passive=True).method.message_count)

    def take(self, queue: str) -> list[dict[str, object]]:
        taken: list[dict[str, object]] = []
        with pika.BlockingConnection(pika.URLParameters(self.amqp_url)) as connection:
            channel = connection.channel()
            while True:
                method, _, body = channel.basic_get(queue, auto_ack=True)
                if method is None:
                    return taken
                taken.append(json.loads(body))

    # --- running ---
    @contextmanager
    def running(self, *loops: Loop) -> Iterator[Stop]:
        stop = Stop()
        threads = [threading.Thread(target=loop.run, args=(stop,)) for loop in loops]
        for thread in threads:
            thread.start()
        try:
            yield stop
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)
            assert not any(thread.is_alive() for thread in threads)

    def process(self, *loops: str) -> subprocess.Popen[bytes]:
        return self.spawn(str(WORKER), *loops)

    def spawn(self, *arguments: str, **settings: str) -> subprocess.Popen[bytes]:
        """A Python program on this bus, with a log of its own; killed at the end."""
        environment = {
            **os.environ,
            "ESPACE_DATABASE_URL": self.database.url,
            "ESPACE_AMQP_URL": self.amqp_url,
            "ESPACE_ENVIRONMENT": "test",
            "ESPACE_CRASH_DIR": str(self.folder),
            **settings,
        }
        with (self.folder / f"worker-{len(self.processes)}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "error", *arguments], env=environment, stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def log(self, event: str) -> list[int]:
        """Which of the processes (by number) told ``event``, once per telling."""
        return [
            number
            for number in range(len(self.processes))
            for line in (self.folder / f"worker-{number}.log").read_text().splitlines()
            if line.startswith("{") and line.endswith("}") and json.loads(line)["event"] == event
        ]

    def limited(self, queue: str, limits: dict[str, int]) -> AbstractContextManager[None]:
        """A policy on a queue, while inside."""
        return limited(self.amqp_url, self.management, queue, limits)

    def arm(self, point: str) -> None:
        (self.folder / point).touch()

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.database.dispose()


@pytest.fixture(autouse=True)
def _quiet_logs() -> Iterator[None]:
    """Log events are checked against the catalogue, and not printed."""

    def drop(*_: object) -> str:
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[check_name, drop])
    yield
    structlog.configure(**before)


@pytest.fixture
def vhost(parts: Addresses) -> Iterator[str]:
    """The address of a virtual host of this test alone."""
    with virtual_host(parts.amqp, parts.management) as url:
        yield url


@pytest.fixture
def bus(parts: Addresses, fresh_database: Callable[[str], str], vhost: str, tmp_path: Path) -> Iterator[Bus]:
    made = Bus(fresh_database("deadline_scheduler_service"), vhost, parts.management, tmp_path)
    yield made
    made.close()


class PrivateParts:
    """A PostgreSQL and a RabbitMQ that a test may kill."""

    def __init__(self, folder: Path) -> None:
        servers = Servers(folder, private=False)
        self.postgres, self.rabbitmq = servers.postgres, servers.rabbitmq


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateParts]:
    folder = tmp_path_factory.mktemp("private")
    made = PrivateParts(folder)
    with reaped(folder):
        together([made.postgres.start, made.rabbitmq.start])
        yield made
        together([made.postgres.kill, made.rabbitmq.kill])


@pytest.fixture
def private_bus(private: PrivateParts, tmp_path: Path) -> Iterator[Bus]:
    """A bus on parts that may be killed, with a database and a virtual host of its own."""
    together([private.postgres.start, private.rabbitmq.start])
    url = private.postgres.ensure_database(f"bus_{secrets.token_hex(4)}", secrets.token_hex(8))
    migrations.upgrade(url, "deadline_scheduler_service")
    rabbitmq = private.rabbitmq
    with virtual_host(rabbitmq.url, rabbitmq.management_url) as amqp_url:
        made = Bus(url, amqp_url, rabbitmq.management_url, tmp_path)
        yield made
        made.close()
        rabbitmq.start()  # a test that failed may have left it dead
