"""Where a bench stands: a private stack with a durable database, and programs of its own on it."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pika
import psycopg

from espace_stack.layout import SERVICES
from espace_stack.ports import free_port
from espace_stack.probe import status_of
from espace_stack.process import base_environment
from espace_stack.reaper import private_folder
from espace_stack.stack import Stack

CITIZENS = 6000
"""Seven of ten are candidates who may claim, once each; an hour takes 3,600."""


class Ground:
    """A stack that is thrown away."""

    def __init__(self, folder: Path) -> None:
        self.stack = Stack(folder, private=True, durable=True)
        self.stack.settings.extra["simulator"] = {"SIMULATOR_PLAIN_CITIZENS": str(CITIZENS)}
        # All citizens of a bench come from one address.
        self.stack.settings.extra["identity-api"] = {"ESPACE_FORMS_PER_MINUTE": "100000"}

    @property
    def amqp_url(self) -> str:
        """The broker's address."""
        return self.stack.addresses.amqp

    def connect(self, service: str) -> psycopg.Connection[Any]:
        """A connection of our own to a service's database; each statement is a transaction."""
        return psycopg.connect(self.stack.database_url(service).replace("+psycopg", ""), autocommit=True)

    def rows(self, service: str, query: str) -> list[tuple[Any, ...]]:
        """What a query finds in a service's database."""
        with self.connect(service) as connection:
            return connection.execute(query.encode()).fetchall()

    def remember_commits(self) -> None:
        """Have PostgreSQL keep the instant of each commit from now on."""
        admin = self.stack.addresses.postgres.replace("+psycopg", "")
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        self.stack.part("postgres").restart()

    @contextmanager
    def worker(self, service: str, *loops: str) -> Iterator["subprocess.Popen[bytes]"]:
        """The real worker of a service with these of its loops."""
        environment = self.stack.env(f"{service}-worker")
        command = ["-m", SERVICES[service], "worker", *loops]
        ready = f"http://127.0.0.1:{environment['ESPACE_WORKER_PORT']}/readyz"
        with self.program(f"{service}-{'-'.join(loops)}", command, environment) as process:
            self.await_(f"{service}'s worker", lambda: status_of(ready) == 200, process)
            yield process

    @contextmanager
    def api(self, service: str, **variables: str) -> Iterator[str]:
        """One more of a service's APIs; its address."""
        port = free_port()
        command = ["-m", SERVICES[service], "api", "--port", str(port)]
        environment = {**self.stack.env(f"{service}-api"), **variables}
        with self.program(f"{service}-api-{port}", command, environment) as process:
            self.await_(
                f"{service}'s API", lambda: status_of(f"http://127.0.0.1:{port}/readyz") == 200, process
            )
            yield f"http://127.0.0.1:{port}"

    @contextmanager
    def program(
        self, name: str, command: Sequence[str], environment: dict[str, str]
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """A Python program beside the stack, with a log in its folder; ended afterwards."""
        log = self.stack.folder / "logs" / f"bench-{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *command],
                env={**base_environment(), **environment},
                stdout=output,
                stderr=output,
                cwd=Path(__file__).parents[1],
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @staticmethod
    def await_(
        what: str,
        there: Callable[[], object],
        process: "subprocess.Popen[bytes] | None" = None,
        seconds: float = 120,
        every: float = 0.02,
    ) -> None:
        """Look until it is there.

        Raises:
            RuntimeError: it never was, or the process that should bring it has ended.
        """
        deadline = time.monotonic() + seconds
        while not there():
            if process is not None and process.poll() is not None:
                raise RuntimeError(f"{what}: the process ended with {process.returncode}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{what}: not within {seconds:.0f} s")
            time.sleep(every)

    # ---- the broker

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A channel of pika's."""
        with pika.BlockingConnection(pika.URLParameters(self.amqp_url)) as connection:
            yield connection.channel()

    def empty(self, queue: str) -> None:
        """Take everything out of a queue."""
        with self.channel() as channel:
            channel.queue_purge(queue)

    def expect(self, queue: str, count: int) -> None:
        """That many messages wait, or what was measured did not happen.

        Raises:
            RuntimeError: another number, even after a while.
        """
        with self.channel() as channel:
            self.await_(
                f"{count} messages in {queue}",
                lambda: channel.queue_declare(queue, passive=True).method.message_count == count,
                seconds=20,
            )


@contextmanager
def ground(*parts: str) -> Iterator[Ground]:
    """A stack in a folder of its own with these parts, or with all."""
    with private_folder("espace-bench-") as folder:
        made = Ground(folder)
        try:
            made.stack.start(only=parts)
            yield made
        finally:
            made.stack.kill()
