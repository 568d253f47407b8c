"""What a platform in containers needs before its programs start: secrets, databases, queues, bucket.

``python -m espace_stack deployment …`` runs in the image ``stack``. Names and ports of the containers are
the same in Compose and in Kubernetes.
"""

import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from espace_stack.belongings import Belongings
from espace_stack.layout import BUCKET, SERVICES, WEB, programs
from espace_stack.legal import Legal, latest_receipt
from espace_stack.parts.objects import identities
from espace_stack.secret import Secrets
from espace_stack.servers import Addresses
from espace_stack.settings import ProgramSettings, Surroundings

API_PORT: Final = 8000
WORKER_PORT: Final = 9000
GATEWAY: Final = "http://gateway:8080"
SIMULATOR: Final = "http://simulator:8081"
MAILBOX: Final = ("mailbox", 8025)
POSTGRES: Final = "postgres:5432"
RABBITMQ: Final = "rabbitmq:5672"
MANAGEMENT: Final = "rabbitmq:15672"
OBJECTS: Final = "http://objects:9000"
SECRETS: Final = Path("/run/secrets")
"""Where a program finds its own."""
CLOCK: Final = Path("/run/legal/clock.json")
ADMINISTRATOR: Final = "espace"

Bundle = Mapping[str, str]
"""File name → content: all secrets of one program or server."""


class Deployment:
    """One platform in containers.

    Args:
        made: the folder of the secrets that everything else follows from.
        public_url: the gateway's origin as browsers see it.
        simulator_url: the login simulator's.
    """

    def __init__(self, made: Path, *, public_url: str, simulator_url: str) -> None:
        self._secrets = Secrets(made)
        self._public = {"gateway": public_url, "simulator": simulator_url}
        self.settings = ProgramSettings(self._secrets, self._surroundings)

    def bundles(self) -> dict[str, Bundle]:
        """What each program and server may see, by its name; made on first use, the same ever after."""
        found: dict[str, dict[str, str]] = {}
        for program in programs():
            found.setdefault(program.service, {}).update(_files(self.settings.of(program)))
        made = self._secrets.value
        access_key, secret_key = self._store_keys()
        administrator = {"root-user": ADMINISTRATOR, "root-password": made("objects")}
        store = identities(administrator["root-user"], administrator["root-password"], access_key, secret_key)
        passwords = {f"database-{service}": self._password(service) for service in (*SERVICES, WEB[0])}
        return {
            **found,
            "simulator": _files(self.settings.simulator()),
            "synthetic": _files(self.settings.synthetic()),
            "postgres": {"password": made("postgres")},
            "postgres-exporter": {"password": made("monitor")},
            "rabbitmq": {"user.conf": f"default_user = {ADMINISTRATOR}\ndefault_pass = {made('rabbitmq')}\n"},
            "objects": {**administrator, "s3.json": json.dumps(store)},
            "grafana": {"admin-password": made("grafana")},
            "prepare": {
                **passwords,
                "postgres": made("postgres"),
                "monitor": made("monitor"),
                "rabbitmq": made("rabbitmq"),
                "objects": made("objects"),
                "store-access-key": access_key,
                "store-secret-key": secret_key,
            },
        }

    def _surroundings(self) -> Surroundings:
        password = self._secrets.value("rabbitmq")
        return Surroundings(
            environment="demo",
            url=self._url,
            database_url=self._database_url,
            amqp=f"amqp://{ADMINISTRATOR}:{password}@{RABBITMQ}/%2F",
            smtp=MAILBOX,
            store_keys=self._store_keys(),
            clock_file=CLOCK,
            worker_port=lambda _name: WORKER_PORT,
            simulator_inside=SIMULATOR,
            gateway_inside=GATEWAY,
        )

    def _url(self, name: str) -> str:
        if name in self._public:
            return self._public[name]
        return OBJECTS if name == "objects" else f"http://{name}:{API_PORT}"

    def _database_url(self, service: str) -> str:
        return f"postgresql+psycopg://{service}:{self._password(service)}@{POSTGRES}/{service}"

    def _password(self, service: str) -> str:
        return self._secrets.value(f"database-{service}", lambda: secrets.token_hex(24))

    def _store_keys(self) -> tuple[str, str]:
        return BUCKET, self._secrets.value("store-secret-key")


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """A program's environment with its secrets where a container has them."""
    return {name: str(SECRETS / _name(name)) if _is_file(name) else value for name, value in settings.items()}


def write(bundles: Mapping[str, Bundle], folder: Path) -> None:
    """Each bundle as a folder of files that everyone who gets to see the folder may read."""
    for name, bundle in bundles.items():
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        for file, content in bundle.items():
            if not (place / file).exists() or (place / file).read_text() != content:
                draft = place / f".{file}.new"
                draft.write_text(content)
                draft.chmod(0o444)
                draft.replace(place / file)


def prepare(folder: Path) -> None:
    """Roles and databases, queues and policies, the bucket with its user; run again, it changes nothing.

    Args:
        folder: the bundle ``prepare``.

    Raises:
        FailedPart: names the server that does not do its part.
    """
    passwords = Secrets(folder)
    value = passwords.value
    addresses = Addresses(
        postgres=f"postgresql+psycopg://postgres:{value('postgres')}@{POSTGRES}/postgres",
        amqp=f"amqp://{ADMINISTRATOR}:{value('rabbitmq')}@{RABBITMQ}/%2F",
        management=f"http://{ADMINISTRATOR}:{value('rabbitmq')}@{MANAGEMENT}",
        objects=OBJECTS,
        objects_access_key=ADMINISTRATOR,
        objects_secret_key=value("objects"),
    )
    belongings = Belongings({**SERVICES, WEB[0]: WEB[1]}, lambda: addresses, passwords, folder)
    belongings.make_databases(rotate=True)
    belongings.make_monitor(value("monitor"))
    belongings.make_queues()
    belongings.make_bucket()
    belongings.make_store_user(value("store-access-key"), value("store-secret-key"))


def travel(clock: Path, database_url: str, to: datetime) -> None:
    """Move legal time on to ``to``, never behind the latest receipt.

    Raises:
        BackwardsError: it would go back.
        NotRunning: dossier's database does not answer.
    """
    Legal(clock).travel(to, not_before=latest_receipt(database_url))


def _files(settings: Mapping[str, str]) -> dict[str, str]:
    return {_name(name): Path(value).read_text() for name, value in settings.items() if _is_file(name)}


def _is_file(name: str) -> bool:
    return name.endswith("_FILE") and name != "ESPACE_LEGAL_CLOCK_FILE"


def _name(variable: str) -> str:
    return variable.partition("_")[2].removesuffix("_FILE").lower().replace("_", "-")
