"""What goes wrong, each thing for a while and then repaired: chosen and ordered by a seed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Final
from uuid import uuid4

import pika
import psycopg

from espace.bus import topology
from espace.bus.event import Event
from espace.bus.publisher import Publisher, message_of
from espace_stack.layout import SERVICES, programs
from espace_stack.mailbox.smtp import Mode as MailMode
from espace_stack.part import Part
from espace_stack.parts.rabbitmq import RabbitMQ
from espace_stack.process import Process, base_environment
from espace_stack.testing.platform import Platform
from tests.chaos.disk import empty, fill
from tests.chaos.parts import restore, start_altered
from tests.chaos.proxied import IN_FRONT_OF
from tests.chaos.proxy import MODES, Mode, Proxies

SERVERS: Final = ("postgres", "rabbitmq", "objects")
OURS: Final = (*(program.name for program in programs()), "gateway")
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

Repair = Callable[[], object]
Begin = Callable[[], Repair]
"""Breaks something, and returns what repairs it."""
Verb = Callable[[Part], object]
KILL: Final[Verb] = methodcaller("kill")


@dataclass(frozen=True)
class Fault:
    """A way to break; ``ambiguous``: how many mails it may double."""

    name: str
    begin: Begin
    ambiguous: int = 0


class Faults:
    """Everything that this platform can suffer; ``disk`` is the database's, if it has one of its own."""

    def __init__(self, platform: Platform, proxies: Proxies, disk: Path | None = None) -> None:
        self._platform, self._proxies, self._disk = platform, proxies, disk

    def all(self) -> list[Fault]:
        """Each once."""
        found = [Fault(f"kill -9 {name}", self._done_to(name, KILL)) for name in (*OURS, *SERVERS)]
        found += [
            Fault(f"{program} dies at {point}", self._crashed(program, point), int("250" in point))
            for program, point in CRASHES
        ]
        found += [Fault(f"two of {name}", self._second(name)) for name in SECOND]
        found += [
            Fault("rabbitmq restarted", self._done_to("rabbitmq", methodcaller("stop"))),
            Fault(
                "rabbitmq frozen", self._done_to("rabbitmq", methodcaller("pause"), methodcaller("resume"))
            ),
            Fault("the broker's disk is full", self._disk_alarm),
            Fault("the database's connections are ended", self._backends_ended),
            Fault("the database takes no writes", self._no_writes),
        ]
        if self._disk is not None:
            found += [Fault("the database's disk is full", partial(self._disk_filled, self._disk))]
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
            Fault(
                f"the clock of {name} is an hour {way}",
                self._done_to(name, partial(start_altered, alteration=f"clock-{way}"), restore),
            )
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

    def _done_to(self, name: str, breaks: Verb, repairs: Verb = methodcaller("start")) -> Begin:
        def begin() -> Repair:
            part = self._platform.part(name)
            breaks(part)
            return partial(repairs, part)

        return begin

    def _crashed(self, program: str, point: str) -> Begin:
        def begin() -> Repair:
            self._platform.arm_crash(program, point)

            def repair() -> None:
                try:
                    (self._platform.stack.settings.crash_folder(program) / point).unlink()
                except FileNotFoundError:  # it was passed; an API's parent ends a moment after its child
                    self._platform.wait_crashed(program)
                self._platform.part(program).start()

            return repair

        return begin

    def _second(self, name: str) -> Begin:
        """Another of the same program beside it, under its own record, ended as roughly as begun."""

        def begin() -> Repair:
            folder = self._platform.stack.folder
            second = Process(folder / "run" / f"second-{name}.json", folder / "logs" / f"second-{name}.log")
            part = self._platform.part(name)
            spare = self._platform.stack.ports[f"second-{name}"]
            environment = base_environment() | part.environment() | {"ESPACE_WORKER_PORT": str(spare)}
            second.spawn(part.command(), environment=environment)
            return second.kill

        return begin

    # ---- servers and networks

    def _disk_alarm(self) -> Repair:
        """RabbitMQ's own alarm: it reads no more from whoever publishes."""
        node = self._platform.part("rabbitmq")
        assert isinstance(node, RabbitMQ)
        limit = partial(node.administrate, "set_disk_free_limit")
        limit("100000000000000")
        return lambda: limit("50000000")

    def _disk_filled(self, disk: Path) -> Repair:
        """No byte is free: PostgreSQL cannot write its log, and ends when it has to."""
        fill(disk)

        def repair() -> None:
            empty(disk)
            self._platform.part("postgres").start()

        return repair

    def _backends_ended(self) -> Repair:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
        with self._admin() as connection:
            connection.execute(query + "AND backend_type = 'client backend'")
        return lambda: None

    def _no_writes(self) -> Repair:
        """Each write is refused, as by a database whose disk is full or that has become a replica."""

        def read_only(value: str) -> None:
            with self._admin() as connection:
                for name in SERVICES:
                    connection.execute(
                        f"ALTER DATABASE {name} SET default_transaction_read_only = {value}".encode()
                    )
            self._backends_ended()

        read_only("on")
        return lambda: read_only("off")

    def _network(self, name: str, mode: Mode) -> Begin:
        def begin() -> Repair:
            self._proxies.set(name, mode)
            return lambda: self._proxies.set(name, "pass")

        return begin

    def _mail(self, mode: MailMode) -> Begin:
        def begin() -> Repair:
            self._platform.mail.switch(mode)
            return lambda: self._platform.mail.switch("ok")

        return begin

    def _republished(self) -> Repair:
        """The latest events again, newest first; and to each reader something that is no event."""
        columns = ("id", "type", "subject", "version", "time", "data")
        query = f"SELECT {', '.join(columns)} FROM event_log ORDER BY position DESC LIMIT {REPEATED}"
        amqp = self._platform.stack.servers.addresses.amqp
        rows = self._platform.rows("dossier", query)
        events = [Event(**dict(zip(columns, row, strict=True))) for row in rows]
        publisher = Publisher(amqp, "chaos")
        publisher.publish(topology.EVENTS, [message_of(event, service="dossier") for event in events])
        publisher.close()
        connection = pika.BlockingConnection(pika.URLParameters(amqp))
        channel = connection.channel()
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
