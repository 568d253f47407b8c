"""The three servers everything stands on, started side by side, or found by given addresses."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

from espace_stack.part import Part
from espace_stack.parts import kinds
from espace_stack.ports import Ports
from espace_stack.secret import Secrets


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the servers are, with the administrators' credentials."""

    postgres: str
    amqp: str
    management: str
    objects: str
    objects_access_key: str
    objects_secret_key: str

    @classmethod
    def read(cls, file: Path) -> "Addresses":
        """From the file that ``espace_stack parts`` writes."""
        return cls(**json.loads(file.read_text()))

    def write(self, file: Path) -> None:
        """For other programs; the file holds secrets."""
        file.touch(mode=0o600)
        file.write_text(json.dumps(asdict(self), indent=1) + "\n")


class Servers:
    """PostgreSQL, RabbitMQ and the object store of one folder, or those given (:mod:`espace_stack.given`).

    Args:
        durable: whether PostgreSQL waits for the disk; by default unless private.
    """

    def __init__(
        self,
        folder: Path,
        *,
        private: bool,
        durable: bool | None = None,
        ports: Ports | None = None,
        given: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.folder = folder
        self.ports = ports or Ports(folder / "ports.json")
        self._given = given = {name: value for name, value in given.items() if value}
        secrets = Secrets(folder / "secrets")
        postgres, rabbitmq, objects = kinds()
        self.postgres = postgres(
            folder, self.ports, secrets, durable=not private if durable is None else durable
        )
        self.rabbitmq = rabbitmq(folder, self.ports, secrets)
        self.objects = objects(folder, self.ports, secrets, patient=not private)
        own: tuple[tuple[str, Part], ...] = (
            ("AMQP_URL", self.rabbitmq),
            ("POSTGRES_URL", self.postgres),
            ("OBJECTS_URL", self.objects),
        )
        self.parts = tuple(part for name, part in own if name not in given)

    @property
    def addresses(self) -> Addresses:
        """Where they listen: the given addresses, otherwise our own."""
        given = self._given
        own_management = "" if "AMQP_URL" in given else self.rabbitmq.management_url
        return Addresses(
            postgres=given.get("POSTGRES_URL", self.postgres.url),
            amqp=given.get("AMQP_URL", self.rabbitmq.url),
            management=given.get("MANAGEMENT_URL", own_management).rstrip("/"),
            objects=given.get("OBJECTS_URL", self.objects.url),
            objects_access_key=given.get("OBJECTS_ACCESS_KEY", self.objects.access_key),
            objects_secret_key=given.get("OBJECTS_SECRET_KEY", self.objects.secret_key),
        )

    def start(self) -> None:
        """Start what does not run and wait for all."""
        together([part.start for part in self.parts])

    def stop(self) -> None:
        """Stop all, in an orderly way."""
        together([part.stop for part in self.parts])

    def kill(self) -> None:
        """End all at once; for folders that are thrown away."""
        together([part.kill for part in self.parts])


def together(actions: Iterable[Callable[[], object]]) -> None:
    """Run the actions side by side; the first failure is raised after all have ended."""
    failures: list[BaseException] = []

    def run(action: Callable[[], object]) -> None:
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - raised below, in the caller's thread
            failures.append(error)

    threads: Sequence[threading.Thread] = [threading.Thread(target=run, args=(a,)) for a in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
