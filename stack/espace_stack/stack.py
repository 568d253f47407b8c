"""The whole platform in one folder: servers, our programs, gateway, simulator and mailbox."""

import contextlib
import fcntl
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from espace_stack.account import reachable_folder
from espace_stack.belongings import Belongings
from espace_stack.given import WrongSetting, keep_given, port_variable, read_given
from espace_stack.layout import ROOT, SYNTHETIC, ProgramName, programs
from espace_stack.legal import Legal, NotRunning, latest_receipt
from espace_stack.observing import INTERVAL, jobs
from espace_stack.part import Part
from espace_stack.parts.mailbox import MailboxPart
from espace_stack.parts.observers import PostgresExporterPart, PrometheusPart
from espace_stack.parts.programs import GatewayPart, ProgramPart, SimulatorPart, SyntheticPart
from espace_stack.plan import Step, carry_out
from espace_stack.ports import Ports
from espace_stack.reaper import clear, kill_recorded
from espace_stack.secret import Secrets
from espace_stack.servers import Addresses, Servers, together
from espace_stack.settings import ProgramSettings, Surroundings

DEFAULT_FOLDER = ROOT / ".stack"
DEFAULT_PORTS = {"gateway": 8080, "simulator": 8081, "mailbox": 8082, "smtp": 8025, "prometheus": 9090}
OBSERVERS = ("postgres-exporter", "prometheus")
"""Parts that start only when they are named."""
Report = Callable[[str], None]


class UnknownPart(LookupError):
    """There is no part of that name; the message tells those there are."""


class Stack:
    """One platform. Its folder holds everything: ports, process ids, secrets, data, logs, legal time.

    Args:
        private: for tests: free ports, crash points, no fsync, wide limits, parts killed at the end.
        durable: whether PostgreSQL waits for the disk; by default unless private.
        given: addresses that take the place of own parts (:mod:`espace_stack.given`); kept from one start to
            the next command, an empty one takes back what was kept.
        wanted: ports by name that are used or refused, never replaced.
        report: told what happens, a line each.
    """

    def __init__(
        self,
        folder: Path = DEFAULT_FOLDER,
        *,
        private: bool = False,
        durable: bool | None = None,
        given: Mapping[str, str] = MappingProxyType({}),
        wanted: Mapping[str, int] = MappingProxyType({}),
        report: Report = lambda _: None,
    ) -> None:
        self.folder = folder.resolve()
        self.private = private
        self.secrets = Secrets(self.folder / "secrets")
        self.given = {name: value for name, value in {**read_given(self.folder), **given}.items() if value}
        self._wanted = wanted
        self._report = report
        self.ports = Ports(self.folder / "ports.json", {} if private else DEFAULT_PORTS)
        self.servers = Servers(
            self.folder,
            private=private,
            durable=durable,
            ports=self.ports,
            given=self.given,
        )
        crash_points = self.folder / "crash" if private else None
        self.settings = ProgramSettings(self.secrets, self._surroundings, crash_points)
        self.legal = Legal(self.folder / "legal-clock.json")
        self.mailbox = MailboxPart(self.folder, self.ports)
        self._simulator = SimulatorPart(self.folder, self.ports, self.settings.simulator)
        self._gateway = GatewayPart(self.folder, self.ports, self.url, rate=2000 if private else 50)
        self._synthetic = SyntheticPart(self.folder, self.ports, self.settings.synthetic)
        self._exporter = PostgresExporterPart(self.folder, self.ports, lambda: self.addresses.postgres)
        self.prometheus = PrometheusPart(
            self.folder, self.ports, self._scraped, interval="1s" if private else INTERVAL
        )
        self._programs = {program.name: self._program(program) for program in programs()}
        services = {part.program.service: part.program.package for part in self._programs.values()}
        self._belongings = Belongings(services, lambda: self.addresses, self.secrets, self.folder / "logs")
        self._parts: dict[str, Part] = {
            part.name: part
            for part in (
                *self.servers.parts,
                *([] if "SMTP" in self.given else [self.mailbox]),
                self._simulator,
                *self._programs.values(),
                self._gateway,
                self._synthetic,
                self._exporter,
                self.prometheus,
            )
        }
        # Tests count what citizens do: they start the synthetic citizen themselves.
        self.on_request = {*OBSERVERS, *([SYNTHETIC[0]] if private else [])}

    # ---- what there is

    @property
    def parts(self) -> list[Part]:
        """Every part this stack starts."""
        return list(self._parts.values())

    def part(self, name: str) -> Part:
        """A part by name: ``postgres``, ``rabbitmq``, ``objects``, ``gateway``, ``dossier-worker`` …"""
        if name not in self._parts:
            raise UnknownPart(f"no part {name}; there are {', '.join(self._parts)}")
        return self._parts[name]

    def url(self, name: str) -> str:
        """The address of a part that speaks HTTP; the gateway's is the public one."""
        if name == "objects" and "OBJECTS_URL" in self.given:
            return self.given["OBJECTS_URL"]
        host = "localhost" if name == "gateway" else "127.0.0.1"
        return f"http://{host}:{self.ports[name]}"

    @property
    def addresses(self) -> Addresses:
        """The servers' addresses: the given ones, otherwise our own."""
        return self.servers.addresses

    def database_url(self, service: str) -> str:
        """The address of a service's database, for its own role."""
        return self._belongings.database_url(service)

    def env(self, name: str) -> dict[str, str]:
        """The environment of a part."""
        return self.part(name).environment()

    # ---- start and stop

    def start(self, only: tuple[str, ...] = ()) -> bool:
        """Start what does not run, wait until all is ready; tells whether anything was started.

        What runs with settings that are no longer so (an address has moved, another was given) is started
        again.

        Args:
            only: names of parts to leave it at.

        Raises:
            FailedPart: names the part and shows the end of its log.
            WrongSetting: a wanted port is nobody's.
        """
        with self.lock():
            wanted = [self.part(name) for name in only] or [
                part for part in self.parts if part.name not in self.on_request
            ]
            self._settle_ports()
            keep_given(self.folder, self.given)
            self.legal.ensure()
            replaced = [part for part in wanted if part.outdated] + self._own_parts_given_up()
            if not replaced and all(part.alive and part.ready() for part in wanted):
                return False
            self._end(replaced, "has stopped: its settings have changed")
            carry_out(self._steps(wanted))
            return True

    def stop(self) -> None:
        """Stop everything this stack started, programs before servers; data stays."""
        with self.lock():
            self._end([*self.parts, *self._own_parts_given_up()], "has stopped")
            kill_recorded(self.folder)

    def kill(self) -> None:
        """End everything at once; for folders that are thrown away."""
        clear(self.folder)

    def reset(self) -> None:
        """Stop, and forget all data, on the servers given at the latest start too.

        Raises:
            FailedPart: a given server does not let go of it; then the folder and its keys stay as well.
        """
        self.stop()
        self.forget_elsewhere()
        clear(self.folder)
        stand_in = reachable_folder(self.folder) if self.folder.exists() else self.folder
        for folder in {stand_in, self.folder}:
            shutil.rmtree(folder, ignore_errors=True)

    def forget_elsewhere(self) -> None:
        """Forget what the stack keeps on servers that were given.

        Raises:
            FailedPart: one of them does not let go of it.
        """
        self._belongings.forget(self.given.keys() & read_given(self.folder).keys())

    def travel(self, to: datetime) -> None:
        """Move legal time on to ``to``.

        Raises:
            BackwardsError: before the present or the latest receipt.
            NotRunning: nobody can tell the latest receipt.
        """
        self.legal.travel(to, not_before=self.latest_receipt())

    def latest_receipt(self) -> datetime | None:
        """The instant of the latest deposit or answer, as dossier published it.

        Raises:
            NotRunning: dossier's database does not answer.
        """
        if not self.legal.is_set:
            raise NotRunning("this stack was never started")
        return latest_receipt(self.database_url("dossier"))

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """One command at a time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    # ---- steps

    def _settle_ports(self) -> None:
        known = {name for part in self.parts for name in part.port_names}
        for name in sorted(self._wanted.keys() - known):
            raise WrongSetting(
                f"{port_variable(name)}: there is no such port, only {', '.join(sorted(known))}"
            )
        for part in self.parts:
            part.settle_ports(self._wanted)

    def _steps(self, wanted: list[Part]) -> list[Step]:
        before: dict[str, tuple[str, ...]] = {"gateway": ("web",)}
        before["synthetic"] = ("gateway", "simulator", *self._programs)
        for program in self._programs.values():
            worker = program.program.role == "worker"
            store = ("bucket",) if program.program.service == "documents" else ()
            before[program.name] = ("databases", *store, *(("topology",) if worker else ()))
        make, told = self._belongings, self._told
        needed = {name for part in wanted for name in before.get(part.name, ())}
        steps = [
            Step("databases", told(make.make_migrated_databases, "databases are up to date"), ("postgres",)),
            Step("topology", told(make.make_queues, "queues and policies are declared"), ("rabbitmq",)),
            Step("bucket", self._make_bucket, ("objects",)),
        ]
        steps = [step for step in steps if step.name in needed]
        steps += [Step(part.name, self._starter(part), before.get(part.name, ())) for part in wanted]
        known = {step.name for step in steps}
        return [Step(step.name, step.action, tuple(n for n in step.after if n in known)) for step in steps]

    def _make_bucket(self) -> None:
        self._belongings.make_bucket()
        if "OBJECTS_URL" not in self.given:
            self._belongings.make_store_user(*self.servers.objects.user_keys)

    def _told(self, action: Callable[[], None], line: str) -> Callable[[], None]:
        def act() -> None:
            action()
            self._report(line)

        return act

    def _starter(self, part: Part) -> Callable[[], object]:
        def start() -> None:
            began = time.monotonic()
            if part.start():
                self._report(f"{part.name} is ready ({time.monotonic() - began:.1f} s)")

        return start

    def _end(self, parts: Iterable[Part], line: str) -> None:
        """Stop ``parts`` with all they have left behind, programs before servers."""
        servers = (self.servers.rabbitmq, self.servers.postgres, self.servers.objects)

        def stopper(part: Part) -> Callable[[], None]:
            return self._told(part.stop, f"{part.name} {line}")

        running = [part for part in parts if part.alive or part.process.tree()]
        together([stopper(part) for part in running if part not in servers])
        together([stopper(part) for part in running if part in servers])

    def _own_parts_given_up(self) -> list[Part]:
        """Parts of ours that still run although an address was given in their place."""
        every = (self.servers.rabbitmq, self.servers.postgres, self.servers.objects, self.mailbox)
        return [part for part in every if part.name not in self._parts and part.alive]

    def _program(self, program: ProgramName) -> ProgramPart:
        return ProgramPart(program, self.folder, self.ports, lambda: self.settings.of(program))

    def _scraped(self) -> dict[str, str]:
        """What has metrics here, job to address."""
        ports = {job: job for job in jobs()} | {"gateway": "gateway-inside", "postgres": "postgres-exporter"}
        if "AMQP_URL" not in self.given:
            ports["rabbitmq"] = "rabbitmq-prometheus"
        return {job: f"127.0.0.1:{self.ports[port]}" for job, port in ports.items()}

    def _surroundings(self) -> Surroundings:
        at = self.addresses
        return Surroundings(
            environment="test" if self.private else "demo",
            url=self.url,
            database_url=self.database_url,
            amqp=at.amqp,
            smtp=self._smtp(),
            store_keys=(
                (at.objects_access_key, at.objects_secret_key)
                if "OBJECTS_URL" in self.given
                else self.servers.objects.user_keys
            ),
            clock_file=self.legal.file,
            worker_port=self.ports.__getitem__,
            scanner=self.given.get("CLAMD"),
        )

    def _smtp(self) -> tuple[str, int]:
        if "SMTP" in self.given:
            host, _, port = self.given["SMTP"].rpartition(":")
            return host, int(port)
        return "127.0.0.1", self.ports["smtp"]
