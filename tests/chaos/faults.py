"""What goes wrong, each thing for a while and then repaired: chosen and ordered by a seed."""

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import pika
import psycopg

from espace.bus import topology
from espace.bus.event import CONTENT_TYPE, Event, encode, envelope, routing_key
from espace_stack.mailbox.smtp import Mode as MailMode
from espace_stack.process import Process, base_environment
from espace_stack.testing.platform import Platform
from tests.chaos.parts import restore, start_altered
from tests.chaos.proxied import IN_FRONT_OF
from tests.chaos.proxy import MODES, Mode, Proxies

SERVERS: Final = ("postgres", "rabbitmq", "objects")
OURS: Final = tuple(
    f"{service}-{role}"
    for service in ("identity", "profile", "dossier", "documents", "notifier", "scheduler")
    for role in ("api", "worker")
)
CRASHES: Final = (
    ("dossier-worker", "relay.before_publish"),
    ("dossier-worker", "relay.after_confirm"),
    ("profile-worker", "relay.after_confirm"),
    ("notifier-worker", "consumer.before_commit"),
    ("notifier-worker", "consumer.after_commit"),
    ("notifier-worker", "notifier.before_data"),
    ("notifier-worker", "notifier.after_smtp_250"),
    ("scheduler-worker", "consumer.before_commit"),
    ("scheduler-worker", "consumer.after_commit"),
    ("scheduler-worker", "scheduler.while_firing"),
    ("documents-worker", "consumer.after_commit"),
    ("documents-api", "documents.before_copy"),
    ("documents-api", "documents.after_copy"),
    ("documents-api", "documents.before_removal"),
)
"""Program and the named point at which it kills itself, as ``kill -9`` would."""
SECOND: Final = ("dossier-worker", "scheduler-worker")
CLOCK: Final = ("scheduler-worker", "dossier-api", "notifier-worker")
POISON: Final = "be.espace.chaos.poisoned.v1"
REPEATED: Final = 50
RABBITMQCTL: Final = "/usr/lib/rabbitmq/bin/rabbitmqctl"


@dataclass(frozen=True)
class Fault:
    """``begin`` breaks something and returns what repairs it; ``ambiguous``: how many mails it may double."""

    name: str
    begin: Callable[[], Callable[[], None]]
    ambiguous: int = 0


class Faults:
    """Everything that this platform can suffer."""

    def __init__(self, platform: Platform, proxies: Proxies) -> None:
        self._platform, self._proxies = platform, proxies

    def all(self) -> list[Fault]:
        """Each once."""
        found = [Fault(f"kill -9 {name}", self._killed(name)) for name in (*OURS, "web", "gateway")]
        found += [
            Fault(f"{program} dies at {point}", self._crashed(program, point), int("250" in point))
            for program, point in CRASHES
        ]
        found += [Fault(f"two of {name}", self._second(name)) for name in SECOND]
        found += [
            Fault(f"kill -9 {name}", self._killed(name)) for name in ("postgres", "rabbitmq", "objects")
        ]
        found += [
            Fault("rabbitmq restarted", self._restarted("rabbitmq")),
            Fault("rabbitmq frozen", self._paused("rabbitmq")),
            Fault("the broker's disk is full", self._disk_alarm),
            Fault("the database's connections are ended", self._backends_ended),
            Fault("the database takes no writes", self._no_writes),
        ]
        found += [
            Fault(f"{name}: {mode}", self._network(name, mode), 9 * int(name == "smtp"))
            for name in IN_FRONT_OF
            for mode in MODES
            if mode != "pass"
        ]
        modes: tuple[tuple[MailMode, int], ...] = (("4xx", 0), ("hang", 0), ("drop_after_data", 9))
        found += [Fault(f"smtp answers {mode}", self._mail(mode), doubles) for mode, doubles in modes]
        found += [Fault("duplicates, reordered, and poison on the bus", self._republished)]
        found += [
            Fault(f"the clock of {name} is an hour {way}", self._clock_off(name, f"clock-{way}"))
            for name in CLOCK
            for way in ("ahead", "behind")
        ]
        return found

    def named(self, names: Sequence[str]) -> list[Fault]:
        """Some of them.

        Raises:
            KeyError: there is none of that name.
        """
        known = {fault.name: fault for fault in self.all()}
        return [known[name] for name in names]

    # ---- processes

    def _killed(self, name: str) -> Callable[[], Callable[[], None]]:
        def begin() -> Callable[[], None]:
            self._platform.part(name).kill()
            return self._started(name)

        return begin

    def _restarted(self, name: str) -> Callable[[], Callable[[], None]]:
        def begin() -> Callable[[], None]:
            self._platform.part(name).stop()
            return self._started(name)

        return begin

    def _paused(self, name: str) -> Callable[[], Callable[[], None]]:
        def begin() -> Callable[[], None]:
            self._platform.part(name).pause()
            return self._platform.part(name).resume

        return begin

    def _crashed(self, program: str, point: str) -> Callable[[], Callable[[], None]]:
        def begin() -> Callable[[], None]:
            self._platform.arm_crash(program, point)

            def repair() -> None:
                (self._platform.stack.settings.crash_folder(program) / point).unlink(missing_ok=True)
                self._platform.part(program).start()

            return repair

        return begin

    def _second(self, name: str) -> Callable[[], Callable[[], None]]:
        """Another of the same program beside it, under its own record, ended as roughly as begun."""

        def begin() -> Callable[[], None]:
            folder = self._platform.stack.folder
            second = Process(folder / "run" / f"second-{name}.json", folder / "logs" / f"second-{name}.log")
            part = self._platform.part(name)
            spare = self._platform.stack.ports[f"second-{name}"]
            environment = base_environment() | part.environment() | {"ESPACE_WORKER_PORT": str(spare)}
            second.spawn(part.command(), environment=environment)
            return second.kill

        return begin

    def _clock_off(self, name: str, alteration: str) -> Callable[[], Callable[[], None]]:
        """The program started again with the machine's clock, as ``espace.clock`` tells it, off."""

        def begin() -> Callable[[], None]:
            part = self._platform.part(name)
            start_altered(part, alteration)
            return lambda: restore(part)

        return begin

    def _started(self, name: str) -> Callable[[], None]:
        def repair() -> None:
            self._platform.part(name).start()

        return repair

    # ---- servers and networks

    def _disk_alarm(self) -> Callable[[], None]:
        """RabbitMQ's own alarm: it reads no more from whoever publishes."""

        def limit(free: str) -> None:
            broker = self._platform.part("rabbitmq")
            command = [RABBITMQCTL, "set_disk_free_limit", free]
            environment = base_environment() | broker.environment()
            subprocess.run(command, env=environment, check=True, capture_output=True, cwd="/", timeout=60)

        limit("100000000000000")
        return lambda: limit("50000000")

    def _backends_ended(self) -> Callable[[], None]:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        with self._admin() as connection:
            connection.execute(query + "AND backend_type = 'client backend'")
        return lambda: None

    def _no_writes(self) -> Callable[[], None]:
        """Each write is refused, as by a database whose disk is full or that has become a replica."""
        databases = ("identity", "profile", "dossier", "documents", "notifier", "scheduler")

        def read_only(value: str) -> None:
            with self._admin() as connection:
                for name in databases:
                    connection.execute(
                        f"ALTER DATABASE {name} SET default_transaction_read_only = {value}".encode()
                    )
            self._backends_ended()

        read_only("on")
        return lambda: read_only("off")

    def _network(self, name: str, mode: Mode) -> Callable[[], Callable[[], None]]:
        def begin() -> Callable[[], None]:
            self._proxies.set(name, mode)
            return lambda: self._proxies.set(name, "pass")

        return begin

    def _mail(self, mode: MailMode) -> Callable[[], Callable[[], None]]:
        def begin() -> Callable[[], None]:
            self._platform.mail.switch(mode)
            return lambda: self._platform.mail.switch("ok")

        return begin

    def _republished(self) -> Callable[[], None]:
        """The latest events again, newest first; and to each reader something that is no event."""
        columns = ("id", "type", "subject", "version", "time", "data")
        query = f"SELECT {', '.join(columns)} FROM event_log ORDER BY position DESC LIMIT {REPEATED}"
        connection = pika.BlockingConnection(pika.URLParameters(self._platform.stack.servers.addresses.amqp))
        channel = connection.channel()
        for row in self._platform.rows("dossier", query):
            event = Event(**dict(zip(columns, row, strict=True)))
            properties = pika.BasicProperties(
                message_id=str(event.id), type=event.type, content_type=CONTENT_TYPE, delivery_mode=2
            )
            body = encode(envelope(event, service="dossier"))
            channel.basic_publish(topology.EVENTS, routing_key(event.type), body, properties)
        for reader in topology.SUBSCRIPTIONS:
            properties = pika.BasicProperties(message_id=str(uuid4()), type=POISON, delivery_mode=2)
            channel.basic_publish("", topology.queue(reader), b"\xff no event", properties)
        connection.close()
        return lambda: None

    @contextmanager
    def _admin(self) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
        url = self._platform.stack.servers.addresses.postgres.replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection
