"""The three servers everything stands on, started side by side, or found by given addresses."""

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from espace_stack.part import Part
from espace_stack.parts import ObjectStore, Postgres, RabbitMQ
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
    """PostgreSQL, RabbitMQ and the object store of one folder."""

    def __init__(self, folder: Path, *, private: bool, ports: Ports | None = None) -> None:
        self.folder = folder
        self.ports = ports or Ports(folder / "ports.json")
        secrets = Secrets(folder / "secrets")
        self.postgres = Postgres(folder, self.ports, secrets, durable=not private)
        self.rabbitmq = RabbitMQ(folder, self.ports, secrets)
        self.objects = ObjectStore(folder, self.ports, secrets, patient=not private)
        self.parts: tuple[Part, ...] = (self.rabbitmq, self.postgres, self.objects)

    @property
    def addresses(self) -> Addresses:
        """Where they listen."""
        return Addresses(
            postgres=self.postgres.url,
            amqp=self.rabbitmq.url,
            management=self.rabbitmq.management_url,
            objects=self.objects.url,
            objects_access_key=self.objects.access_key,
            objects_secret_key=self.objects.secret_key,
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
