"""The platform of docker-compose.yml for tests through the gateway: the same steps, other parts."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from minio import Minio

from espace.clock import LegalTime
from espace.testing import until
from espace_stack.deployment import ADMINISTRATOR, API_PORT, WORKER_PORT
from espace_stack.layout import ROOT
from espace_stack.legal import Legal
from espace_stack.mailbox.client import Mailbox
from espace_stack.parts.objects import client
from espace_stack.testing.platform import Platform

START_SECONDS = 180.0


class NoEngine(Exception):
    """There is no container engine to test against; the message says what to do."""


class Compose:
    """``docker compose`` with the repository's files and those that ``COMPOSE_FILE`` names."""

    def run(self, *arguments: str, seconds: float = 900) -> str:
        """What a command printed.

        Raises:
            RuntimeError: it failed; with what it said.
        """
        done = subprocess.run(
            ["docker", "compose", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"docker compose {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self) -> None:
        """Everything up and healthy.

        Raises:
            NoEngine: no engine answers.
        """
        answer = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
        if answer.returncode:
            raise NoEngine(
                f"no container engine answers: {answer.stderr.strip()}\nStart one, or set DOCKER_HOST."
            )
        if not self._complete():
            self.run("up", "--wait", "--wait-timeout", "600")

    def _complete(self) -> bool:
        """Whether every service has its container, healthy or, where it runs once, ended well."""
        lines = self.run("ps", "--all", "--format", "json").splitlines()
        found = {entry["Service"]: entry for entry in map(json.loads, lines)}
        wanted = self.run("config", "--services").split()
        return all(name in found and _is_well(found[name]) for name in wanted)

    def ids(self, service: str) -> list[str]:
        """The containers of a service, those that ended too."""
        return self.run("ps", "--all", "--quiet", service).split()

    def address(self, service: str) -> str:
        """The address of a service's first container in the project's network; only on the engine's host."""
        (found, *_) = json.loads(_docker("inspect", self.ids(service)[0]))
        (network, *_) = found["NetworkSettings"]["Networks"].values()
        return str(network["IPAddress"])


class ContainerPart:
    """All containers of one service, with the verbs that a part of the stack has."""

    def __init__(self, compose: Compose, name: str) -> None:
        self._compose = compose
        self.name = name

    @property
    def alive(self) -> bool:
        """Whether one of its containers runs."""
        return "true" in _docker("inspect", "-f", "{{.State.Running}}", *self._compose.ids(self.name))

    def start(self) -> None:
        """Start what has ended, and wait until it is healthy."""
        self._compose.run("start", self.name)
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until every container says that it is healthy."""
        until(f"{self.name} to be healthy", self._healthy, START_SECONDS)

    def stop(self) -> None:
        """Ask it to end and wait."""
        self._compose.run("stop", self.name)

    def kill(self) -> None:
        """``kill -9``."""
        self._compose.run("kill", self.name)

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing answers."""
        self._compose.run("pause", self.name)

    def resume(self) -> None:
        """Let it go on after :meth:`pause`."""
        self._compose.run("unpause", self.name)

    def restart(self) -> None:
        """Stop and start again."""
        self._compose.run("restart", self.name)
        self.wait_ready()

    def _healthy(self) -> bool:
        states = _docker("inspect", "-f", "{{.State.Health.Status}}", *self._compose.ids(self.name)).split()
        return set(states) == {"healthy"}


class ContainerLegal(Legal):
    """Legal time in the volume that all programs mount."""

    def __init__(self, image: str, volume: str) -> None:
        super().__init__(Path("/run/legal/clock.json"))
        self._image, self._volume = image, volume

    @property
    def is_set(self) -> bool:
        return True

    @property
    def time(self) -> LegalTime:
        return LegalTime.parse(self._inside("cat", str(self.file)))

    def _keep(self, time: LegalTime) -> None:
        draft = f"{self.file}.new"
        script = f"cat >{draft} && chmod 644 {draft} && mv {draft} {self.file}"
        self._inside("sh", "-c", script, text=time.dump())

    def _inside(self, *command: str, text: str = "") -> str:
        mount = ["--volume", f"{self._volume}:{self.file.parent}"]
        return _docker(
            *(
                "run",
                "--rm",
                "--interactive",
                "--user",
                "0:0",
                *mount,
                "--entrypoint",
                command[0],
                self._image,
            ),
            *command[1:],
            text=text,
        )


class ComposePlatform(Platform):
    """The platform in containers, as it is given to whoever runs ``docker compose up``."""

    def __init__(self) -> None:
        self.compose = Compose()
        self._secrets = ROOT / "deploy" / "compose" / "secrets"
        self._logs = Path(tempfile.mkdtemp(prefix="espace-logs-"))

    @property
    def public_url(self) -> str:
        return "http://localhost:" + os.environ.get("ESPACE_PORT", "8080")

    @cached_property
    def legal(self) -> Legal:
        image = self.compose.run("config", "--images", "prepare").split()[0]
        return ContainerLegal(image, "espace_legal")

    @cached_property
    def mail(self) -> Mailbox:
        port = os.environ.get("ESPACE_MAILBOX_PORT", "8082")
        return Mailbox(f"http://127.0.0.1:{port}", 8025, self.compose.address("mailbox"))

    def url(self, name: str) -> str:
        ports = {"simulator": 8081, "mailbox": 8082, "objects": 9000}
        port = WORKER_PORT if name.endswith("-worker") else ports.get(name, API_PORT)
        return f"http://{self.compose.address(name)}:{port}"

    def part(self, name: str) -> ContainerPart:  # type: ignore[override]  # of a part what tests use anywhere
        return ContainerPart(self.compose, name)

    def database_url(self, service: str) -> str:
        inside = (self._secrets / service / "database-url").read_text()
        return inside.replace("@postgres:", f"@{self.compose.address('postgres')}:")

    @property
    def store(self) -> Minio:
        password = (self._secrets / "prepare" / "objects").read_text()
        return client(self.url("objects"), ADMINISTRATOR, password)

    def logs(self) -> list[Path]:
        for service in self.compose.run("ps", "--all", "--services").split():
            text = self.compose.run("logs", "--no-color", "--no-log-prefix", service)
            (self._logs / f"{service}.log").write_text(text, encoding="utf-8")
        return sorted(self._logs.glob("*.log"))

    def heal(self) -> None:
        """Everything runs, nothing is paused, the mailbox is well-behaved."""
        for service in self.compose.run("ps", "--status", "paused", "--services").split():
            self.compose.run("unpause", service)
        self.compose.start()
        self.mail.switch("ok")


def _is_well(entry: dict[str, Any]) -> bool:
    if entry["State"] == "exited":
        return bool(entry["ExitCode"] == 0)
    return entry["State"] == "running" and entry["Health"] in ("healthy", "")


def _docker(*arguments: str, text: str = "") -> str:
    command: Sequence[str] = ["docker", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout
