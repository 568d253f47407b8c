"""The whole platform for tests through the gateway, to be broken and repaired at will."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from minio import Minio

from espace.bus import topology
from espace.testing import until
from espace_stack.given import given_addresses
from espace_stack.legal import Legal
from espace_stack.mailbox.client import Mailbox
from espace_stack.part import Part
from espace_stack.parts.objects import client
from espace_stack.reaper import private_folder
from espace_stack.servers import Servers, together
from espace_stack.stack import Report, Stack

COMPOSE, KUBERNETES = "compose", "kubernetes"
PUBLISHERS = ("profile", "dossier", "documents", "scheduler")


class Platform:
    """A private stack as tests see it."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    @property
    def public_url(self) -> str:
        """The gateway's origin."""
        return self.stack.url("gateway")

    @property
    def legal(self) -> Legal:
        """Legal time: ``freeze``, ``unfreeze``, ``travel``, ``set``."""
        return self.stack.legal

    @property
    def mail(self) -> Mailbox:
        """The mail catcher."""
        return self.stack.mailbox.client

    def url(self, name: str) -> str:
        """The inside address of a part."""
        return self.stack.url(name)

    def part(self, name: str) -> Part:
        """A part to stop, kill, pause, resume, start or restart."""
        return self.stack.part(name)

    def database_url(self, service: str) -> str:
        """The address of a service's database, for looking behind the scenes."""
        return self.stack.database_url(service)

    @property
    def store(self) -> Minio:
        """The object store, behind the gateway's back."""
        at = self.stack.addresses
        return client(at.objects, at.objects_access_key, at.objects_secret_key)

    def arm_crash(self, program: str, point: str) -> None:
        """Let ``program`` (``dossier-worker``) kill itself when it next passes ``point``."""
        folder = self.stack.settings.crash_folder(program)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / point).touch()

    def wait_crashed(self, program: str, seconds: float = 30) -> None:
        """Wait until the armed program is dead."""
        part = self.part(program)
        until(f"the crash of {program}", lambda: not part.alive, seconds)

    def rows(self, service: str, query: str) -> list[tuple[Any, ...]]:
        """What a query finds in a service's database."""
        with psycopg.connect(self.database_url(service).replace("+psycopg", "")) as connection:
            return connection.execute(query.encode()).fetchall()

    def logs(self) -> list[Path]:
        """The log of every part, named after it."""
        return sorted((self.stack.folder / "logs").glob("*.log"))

    def settle(self, seconds: float = 60) -> None:
        """Wait until every event was applied by every consumer, and no message or manifest waits."""
        calm = 0

        def at_rest() -> bool:
            nonlocal calm
            calm = 0 if self._waiting() else calm + 1
            return calm >= 2

        until(lambda: f"rest; {'; '.join(self._waiting())}", at_rest, seconds)

    def _waiting(self) -> list[str]:
        applied = {
            service: {str(row[0]) for row in self.rows(service, "select event_id from inbox")}
            for service in topology.SUBSCRIPTIONS
        }
        waiting = []
        for service in PUBLISHERS:
            for event_id, event_type in self.rows(service, "select id, type from event_log"):
                waiting += [
                    f"{consumer} has not applied {event_type} {event_id}"
                    for consumer, types in topology.SUBSCRIPTIONS.items()
                    if event_type in types and str(event_id) not in applied[consumer]
                ]
        pending = (
            "select template, state from notifications where state in ('created', 'sending', 'temporary')"
        )
        waiting += [f"notifier: {template} is {state}" for template, state in self.rows("notifier", pending)]
        unwritten = "select dossier_id from manifests where written_at is null"
        waiting += [
            f"documents: no manifest of {dossier} yet" for (dossier,) in self.rows("documents", unwritten)
        ]
        return waiting

    def heal(self) -> None:
        """Everything as it should be: nothing armed, paused or stopped, the mailbox well-behaved."""
        for armed in (self.stack.folder / "crash").glob("*/*"):
            armed.unlink()
        for part in self.stack.parts:
            if part.alive:
                part.resume()
        self.stack.start()
        self.mail.switch("ok")


@pytest.fixture(scope="session")
def _servers() -> Iterator[Servers]:
    """Servers of this session alone."""
    with private_folder(in_memory=True) as folder:
        yield Servers(folder, private=True)


@pytest.fixture(scope="session")
def _platform(request: pytest.FixtureRequest) -> Iterator[Platform]:
    """The started platform, in a folder of its own or in ``ESPACE_TEST_PLATFORM``, where it stays running.

    Servers whose addresses the environment gives are used in place of our own, and left as they were. With
    ``ESPACE_TEST_PLATFORM=compose`` it is the one of docker-compose.yml, for tests that can be run anywhere;
    with ``kubernetes`` that of deploy/k8s/overlays/dev on the cluster of ``KUBECONFIG``.
    """
    running = os.environ.get("ESPACE_TEST_PLATFORM")
    if running == COMPOSE:
        from espace_stack.testing.containers import ComposePlatform

        yield ComposePlatform()
        return
    if running == KUBERNETES:
        from espace_stack.testing.cluster import applied

        with applied() as on_cluster:
            yield on_cluster
        return
    folder = Path(running) if running else request.getfixturevalue("_servers").folder
    stack = Stack(folder, private=True, given=given_addresses(), report=_tell(request))
    stack.start()
    yield Platform(stack)
    if stack.given and not running:
        together([part.kill for part in stack.parts if part not in stack.servers.parts])
        stack.forget_elsewhere()


@pytest.fixture
def platform(_platform: Platform) -> Platform:
    """The whole platform, everything running; state of earlier tests stays in its databases."""
    _platform.heal()
    return _platform


def _tell(request: pytest.FixtureRequest) -> Report:
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    verbose = request.config.get_verbosity() > 0

    def report(line: str) -> None:
        if reporter is not None and verbose:
            reporter.write_line(f"  {line}")

    return report
