"""The whole platform in one folder: servers, our programs, gateway, simulator and mailbox."""

import contextlib
import fcntl
import os
import secrets
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg

from espace.bus import topology
from espace_stack.account import reachable_folder
from espace_stack.layout import BUCKET, ROOT, ProgramName, has_module, programs
from espace_stack.legal import Legal
from espace_stack.part import FailedPart, Part
from espace_stack.parts.mailbox import MailboxPart
from espace_stack.parts.objects import client
from espace_stack.parts.postgres import ensure_database
from espace_stack.parts.programs import GatewayPart, ProgramPart, SimulatorPart
from espace_stack.plan import Step, carry_out
from espace_stack.ports import Ports, is_free
from espace_stack.reaper import kill_recorded
from espace_stack.secret import Secrets
from espace_stack.servers import Addresses, Servers, together
from espace_stack.settings import ProgramSettings

DEFAULT_FOLDER = ROOT / ".stack"
DEFAULT_PORTS = {"gateway": 8080, "simulator": 8081, "mailbox": 8082, "smtp": 8025}
GIVEN = (
    "POSTGRES_URL",
    "AMQP_URL",
    "MANAGEMENT_URL",
    "OBJECTS_URL",
    "OBJECTS_ACCESS_KEY",
    "OBJECTS_SECRET_KEY",
    "SMTP",
)
Report = Callable[[str], None]


class Stack:
    """One platform. Its folder holds everything: ports, process ids, secrets, data, logs, legal time.

    Args:
        private: for tests: free ports, crash points, no fsync, wide limits, parts killed at the end.
        given: addresses that take the place of own parts (``ESPACE_STACK_…`` variables).
        report: told what happens, a line each.
    """

    def __init__(
        self,
        folder: Path = DEFAULT_FOLDER,
        *,
        private: bool = False,
        given: Mapping[str, str] | None = None,
        report: Report = lambda _: None,
    ) -> None:
        self.folder = folder.resolve()
        self.private = private
        self._given = given or {}
        self._report = report
        self.ports = Ports(self.folder / "ports.json", {} if private else DEFAULT_PORTS)
        self.secrets = Secrets(self.folder / "secrets")
        self.servers = Servers(self.folder, private=private, ports=self.ports)
        environment = "test" if private else "demo"
        self.settings = ProgramSettings(self.folder, self.secrets, self.url, environment)
        self.legal = Legal(self.settings.clock_file)
        self.mailbox = MailboxPart(self.folder, self.ports)
        self._simulator = SimulatorPart(self.folder, self.ports, self.settings.simulator)
        self._gateway = GatewayPart(self.folder, self.ports, self.url, rate=2000 if private else 50)
        self._programs = {program.name: self._program(program) for program in programs()}
        self._parts: dict[str, Part] = {
            part.name: part
            for part in (
                *self._own_servers(),
                *([] if "SMTP" in self._given else [self.mailbox]),
                self._simulator,
                *self._programs.values(),
                self._gateway,
            )
        }

    # ---- what there is

    @property
    def parts(self) -> list[Part]:
        """Every part this stack starts."""
        return list(self._parts.values())

    def part(self, name: str) -> Part:
        """A part by name: ``postgres``, ``rabbitmq``, ``objects``, ``gateway``, ``dossier-worker`` …"""
        if name not in self._parts:
            raise KeyError(f"no part {name}; there are {', '.join(self._parts)}")
        return self._parts[name]

    def url(self, name: str) -> str:
        """The address of a part that speaks HTTP; the gateway's is the public one."""
        if name == "objects" and "OBJECTS_URL" in self._given:
            return self._given["OBJECTS_URL"]
        host = "localhost" if name == "gateway" else "127.0.0.1"
        return f"http://{host}:{self.ports[name]}"

    @property
    def addresses(self) -> Addresses:
        """The servers' addresses: the given ones, otherwise our own."""
        own = self.servers.addresses
        given = self._given
        return Addresses(
            postgres=given.get("POSTGRES_URL", own.postgres),
            amqp=given.get("AMQP_URL", own.amqp),
            management=given.get("MANAGEMENT_URL", "" if "AMQP_URL" in given else own.management),
            objects=given.get("OBJECTS_URL", own.objects),
            objects_access_key=given.get("OBJECTS_ACCESS_KEY", own.objects_access_key),
            objects_secret_key=given.get("OBJECTS_SECRET_KEY", own.objects_secret_key),
        )

    def database_url(self, service: str) -> str:
        """The address of a service's database, for its own role."""
        password = self.secrets.value(f"database-{service}", lambda: secrets.token_hex(24))
        place = self.addresses.postgres.rsplit("@", 1)[1].rsplit("/", 1)[0]
        return f"postgresql+psycopg://{service}:{password}@{place}/{service}"

    def env(self, name: str) -> dict[str, str]:
        """The environment of one of our programs, ``simulator`` included."""
        if name == "simulator":
            return self.settings.simulator()
        return self._programs[name].environment()

    # ---- start and stop

    def start(self, only: tuple[str, ...] | None = None) -> bool:
        """Start what does not run, wait until all is ready; tells whether anything was started.

        Raises:
            FailedPart: names the part and shows the end of its log.
        """
        with self.lock():
            if only is None and all(part.alive and part.ready() for part in self.parts):
                return False
            self._keep_ports_free()
            self.legal.ensure()
            carry_out(self._steps(only))
            return True

    def _steps(self, only: tuple[str, ...] | None) -> list[Step]:
        wanted = [part for part in self.parts if only is None or part.name in only]
        before: dict[str, tuple[str, ...]] = {"gateway": tuple(n for n in ("web",) if n in self._programs)}
        for program in self._programs.values():
            worker = program.program.role == "worker"
            store = ("bucket",) if program.program.service == "documents" else ()
            before[program.name] = ("databases", *store, *(("topology",) if worker else ()))
        names = {part.name for part in wanted}
        steps = (
            []
            if names.isdisjoint(self._programs)
            else [
                Step("databases", self._prepare_databases, _present(("postgres",), names)),
                Step("topology", self._load_topology, _present(("rabbitmq",), names)),
                Step("bucket", self._prepare_bucket, _present(("objects",), names)),
            ]
        )
        known = names | {step.name for step in steps}
        return steps + [
            Step(part.name, self._starter(part), _present(before.get(part.name, ()), known))
            for part in wanted
        ]

    def stop(self) -> None:
        """Stop everything this stack started, programs before servers; data stays."""
        with self.lock():
            own = {part.name for part in self._own_servers()}
            together([self._stopper(part) for part in self.parts if part.name not in own])
            together([self._stopper(part) for part in self.parts if part.name in own])
            kill_recorded(self.folder)

    def kill(self) -> None:
        """End everything at once; for folders that are thrown away."""
        kill_recorded(self.folder)

    def reset(self) -> None:
        """Stop, and forget all data."""
        self.stop()
        stand_in = reachable_folder(self.folder) if self.folder.exists() else self.folder
        for folder in {stand_in, self.folder}:
            shutil.rmtree(folder, ignore_errors=True)

    def latest_receipt(self) -> datetime | None:
        """The instant of the latest deposit, as dossier published it."""
        query = "SELECT max(data->>'received_at') FROM event_log WHERE type LIKE %s"
        with psycopg.connect(self.database_url("dossier").replace("+psycopg", "", 1)) as connection:
            row = connection.execute(query, ("be.espace.dossier.%",)).fetchone()
        return datetime.fromisoformat(row[0]) if row and row[0] else None

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """One command at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # ---- steps

    def _prepare_databases(self) -> None:
        services = {program.program.service: program.program.package for program in self._programs.values()}
        for service in services:
            password = urlsplit(self.database_url(service)).password or ""
            ensure_database(self.addresses.postgres, service, password)
        for service, package in services.items():
            if has_module(package, "migrations/env"):
                self._migrate(self.database_url(service), package)
        self._report("databases are up to date")

    def _migrate(self, url: str, package: str) -> None:
        from espace.db import migrations

        try:
            migrations.upgrade(url, package)
        except Exception as error:
            log = self.folder / "logs" / f"{package}-migrate.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(traceback.format_exc())
            raise FailedPart(f"migration of {package}", "failed", str(error), log) from error

    def _load_topology(self) -> None:
        management = self.addresses.management
        if not management:
            return  # a broker given without its management address brings its own policies
        answer = httpx.post(f"{management}/api/definitions", json=topology.definitions(), timeout=60)
        answer.raise_for_status()
        self._report("queues and policies are declared")

    def _prepare_bucket(self) -> None:
        address = self.addresses
        store = client(address.objects, address.objects_access_key, address.objects_secret_key)
        if not store.bucket_exists(BUCKET):
            store.make_bucket(BUCKET)

    def _keep_ports_free(self) -> None:
        for part in self.parts:
            if not part.alive:
                for name in part.port_names:
                    if not is_free(self.ports[name]):
                        self.ports.move(name)

    def _starter(self, part: Part) -> Callable[[], object]:
        def start() -> None:
            began = time.monotonic()
            if part.start():
                self._report(f"{part.name} is ready ({time.monotonic() - began:.1f} s)")

        return start

    def _stopper(self, part: Part) -> Callable[[], object]:
        def stop() -> None:
            if part.alive:
                part.stop()
                self._report(f"{part.name} has stopped")

        return stop

    def _own_servers(self) -> list[Part]:
        given = {"postgres": "POSTGRES_URL", "rabbitmq": "AMQP_URL", "objects": "OBJECTS_URL"}
        return [part for part in self.servers.parts if given[part.name] not in self._given]

    def _program(self, program: ProgramName) -> ProgramPart:
        def settings() -> dict[str, str]:
            return self.settings.of(
                program,
                database=self.database_url(program.service),
                amqp=self.addresses.amqp,
                worker_port=self.ports[program.name],
                smtp=self._smtp(),
                store=(self.addresses.objects_access_key, self.addresses.objects_secret_key),
            )

        return ProgramPart(program, self.folder, self.ports, settings)

    def _smtp(self) -> tuple[str, int]:
        if "SMTP" in self._given:
            host, _, port = self._given["SMTP"].rpartition(":")
            return host, int(port)
        return "127.0.0.1", self.ports["smtp"]


def given_addresses(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Addresses that the environment gives as ``ESPACE_STACK_POSTGRES_URL`` and so on, without the prefix."""
    return {name: environ[f"ESPACE_STACK_{name}"] for name in GIVEN if environ.get(f"ESPACE_STACK_{name}")}


def _present(names: tuple[str, ...], known: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in known)
