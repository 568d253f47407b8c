"""The three servers as containers, with the verbs of every part: ``STACK=containers``.

Which images: ``ESPACE_STACK_POSTGRES_IMAGE``, ``ESPACE_STACK_RABBITMQ_IMAGE``, ``ESPACE_STACK_OBJECTS_IMAGE``
(MinIO, or SeaweedFS by its name). A container lives until its stack is thrown away; what it was called is
recorded in the stack's folder, so that whoever cleans up after a killed test removes it too.
"""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any, ClassVar

import docker
from docker.errors import NotFound
from docker.models.containers import Container
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from espace_stack.part import FailedPart, Part
from espace_stack.parts.objects import ACCESS_KEY, ObjectStore
from espace_stack.parts.postgres import Postgres
from espace_stack.parts.rabbitmq import CONTROL, USER, RabbitMQ

testcontainers_config.ryuk_disabled = True  # the stack's own reaper removes them, images or not
IMAGES = {
    "postgres": "postgres:18.6",
    "rabbitmq": "rabbitmq:4.3-management",
    "objects": "pgsty/silo:RELEASE.2026-09-03T13-18-01Z",
}
"""The same as in docker-compose.yml."""


class ContainerPart(Part):
    """A server in a container whose ports are bound to those that the stack has chosen."""

    inside: ClassVar[dict[str, int]] = {}
    """Name of a port → its number in the container."""

    @property
    def image(self) -> str:
        """What it is made of."""
        return os.environ.get(f"ESPACE_STACK_{self.name.upper()}_IMAGE") or IMAGES[self.name]

    def arguments(self) -> list[str]:
        """What follows the image's name."""
        return []

    def variables(self) -> dict[str, str]:
        """The container's environment."""
        return {}

    def files(self) -> dict[str, bytes]:
        """What it finds at which path."""
        return {}

    @property
    def alive(self) -> bool:
        found = self._container()
        return found is not None and found.status in ("running", "paused")

    @property
    def outdated(self) -> bool:
        return False

    def begin(self, *, to_terminal: bool = False) -> None:  # noqa: ARG002  it speaks to the engine
        found = self._container()
        if found is not None:
            found.start()
            return
        record = _record(self.folder, self.name)
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(self._called)
        made = DockerContainer(self.image).with_name(self._called).with_command(self.arguments())
        made.with_envs(**self.variables()).with_kwargs(hostname=self.name)
        for path, content in self.files().items():
            made.with_copy_into_container(content, path)
        for name, number in self.inside.items():
            made.ports[f"{number}/tcp"] = ("127.0.0.1", self.ports[name])  # type: ignore[assignment]
        made.start()

    def stop(self) -> None:
        self._do("stop", timeout=int(self.stop_seconds))

    def kill(self) -> None:
        if self.alive:
            self._do("kill")

    def pause(self) -> None:
        self._do("pause")

    def resume(self) -> None:
        found = self._container()
        if found is not None and found.status == "paused":
            found.unpause()

    def _failed(self, reason: str) -> FailedPart:
        found = self._container()
        said = found.logs(tail=25).decode(errors="replace") if found else "(no output)"
        return FailedPart(f"{self.name} ({self.image})", reason, said, Path(self._called))

    def _do(self, verb: str, **options: Any) -> None:
        found = self._container()
        if found is not None:
            getattr(found, verb)(**options)

    def _container(self) -> Container | None:
        return _find(self._called)

    @property
    def _called(self) -> str:
        return f"espace-{hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:12]}-{self.name}"


class ContainerPostgres(ContainerPart, Postgres):
    """PostgreSQL as the public image has it."""

    inside: ClassVar = {"postgres": 5432}

    def variables(self) -> dict[str, str]:
        return {"POSTGRES_PASSWORD": self._password.read_text()}

    def arguments(self) -> list[str]:
        durable = "on" if self._durable else "off"
        return ["postgres", "-c", "max_connections=200", "-c", f"fsync={durable}"]


class ContainerRabbitMQ(ContainerPart, RabbitMQ):
    """RabbitMQ as the public image has it."""

    inside: ClassVar = {"amqp": 5672, "rabbitmq-management": 15672, "rabbitmq-prometheus": 15692}
    port_names = tuple(inside)

    def variables(self) -> dict[str, str]:
        return {"RABBITMQ_DEFAULT_USER": USER, "RABBITMQ_DEFAULT_PASS": self._password.read_text()}

    def administrate(self, *arguments: str) -> None:
        found = self._container()
        assert found is not None
        status, output = found.exec_run([CONTROL.name, *arguments])
        if status:
            raise subprocess.CalledProcessError(status, CONTROL.name, output)


class ContainerObjects(ContainerPart, ObjectStore):
    """MinIO, or SeaweedFS where the image is its."""

    inside: ClassVar = {"objects": 9000}
    port_names = tuple(inside)

    def variables(self) -> dict[str, str]:
        return {"MINIO_ROOT_USER": ACCESS_KEY, "MINIO_ROOT_PASSWORD": self.secret_key, "MINIO_BROWSER": "off"}

    def arguments(self) -> list[str]:
        if not self._is_seaweed:
            return ["server", "/data", "--address", ":9000"]
        flags = {
            "dir": "/data",
            "ip.bind": "0.0.0.0",
            "s3.port": 9000,
            "s3.config": "/s3.json",
            "volume.max": 500,
        }
        off = [f"-{name}" for name in ("s3.iam=false", "iam=false", "s3.port.iceberg=0", "s3.port.lance=0")]
        return ["server", "-filer", "-s3", *(f"-{name}={value}" for name, value in flags.items()), *off]

    def files(self) -> dict[str, bytes]:
        return {"/s3.json": self.configuration().encode()} if self._is_seaweed else {}

    def ready(self) -> bool:
        return self.keeps_bytes()

    @property
    def _is_seaweed(self) -> bool:
        return "seaweed" in self.image


def remove_recorded(folder: Path) -> None:
    """Remove every container recorded in the folder, with its data."""
    for record in (folder / "run").glob("*.container"):
        found = _find(record.read_text())
        if found is not None:
            found.remove(force=True, v=True)
        record.unlink()


def _record(folder: Path, name: str) -> Path:
    return folder / "run" / f"{name}.container"


def _find(called: str) -> Container | None:
    try:
        return docker.from_env().containers.get(called)
    except NotFound:
        return None
