"""The drill: databases, broker, keys and an object are lost, and come back as of a chosen instant."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from deploy.backup.__main__ import METRICS
from deploy.backup.database import SLOT
from espace.clock import utcnow
from espace.testing import until
from espace_stack.account import reachable_folder
from espace_stack.layout import BUCKET, SERVICES
from espace_stack.parts.postgres import Postgres
from espace_stack.ports import Ports
from espace_stack.reaper import private_folder
from espace_stack.servers import together
from espace_stack.stack import Stack
from espace_stack.testing.platform import PUBLISHERS, Platform
from login_simulator.citizens import Citizen
from tests.e2e.app import App, expect
from tests.e2e.claims import QUESTION, WITH_DRC, ready_claim, ready_question
from tests.e2e.conftest import Citizens, confirm_space
from tests.e2e.fingerprint import differences, fingerprint
from tests.e2e.once import deposited_once

OUTSIDE = ("mailbox", "simulator")
"""The world outside: it remembers what the platform has told it before the disaster."""
READERS = ("documents-worker", "notifier-worker", "scheduler-worker")
IN_RECOVERY = "SELECT pg_is_in_recovery()"


class Drill:
    """A platform that is backed up to a folder."""

    def __init__(self, platform: Platform, backups: Path) -> None:
        self.platform = platform
        self.stack = platform.stack
        self.backups = backups
        self.applications: list[App] = []
        self.data = reachable_folder(self.stack.folder) / "postgres" / "data"

    def login(self, person: Citizen) -> App:
        """A citizen's application."""
        app = App(self.platform.public_url, person).login()
        self.applications.append(app)
        return app

    def backup(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """``python -m deploy.backup …``, as an operator calls it."""
        command = [sys.executable, "-W", "error", "-m", "deploy.backup", *arguments]
        return subprocess.run(
            command, env=self._environment(), capture_output=True, text=True, check=check, timeout=240
        )

    @contextmanager
    def followed(self) -> Iterator[None]:
        """While inside, the log is written to the folder as it comes."""
        command = [sys.executable, "-m", "deploy.backup", "follow", "--to", str(self.backups)]
        with (self.backups / "follow.log").open("w") as log:
            following = subprocess.Popen(command, env=self._environment(), stdout=log, stderr=log)
        try:
            until("the log is followed", lambda: bool(self.server(_FOLLOWED)) or following.poll() is not None)
            yield
        finally:
            following.terminate()
            following.wait(30)

    def server(self, query: str) -> list[tuple[object, ...]]:
        """What the administrator finds."""
        url = self.stack.addresses.postgres.replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            return connection.execute(query.encode()).fetchall()

    def run(self, service: str, *command: str) -> str:
        """A command of a service, in its worker's environment; what it says."""
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", SERVICES[service], *command],
            env={**os.environ, **self.stack.env(f"{service}-worker")},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    def lose(self) -> None:
        """Every process of the platform at once, then all databases, the broker, and the keys."""
        lost = [part for part in self.stack.parts if part.name not in OUTSIDE]
        together([part.kill for part in lost])
        shutil.rmtree(self.data)
        shutil.rmtree(reachable_folder(self.stack.folder) / "rabbitmq")
        shutil.rmtree(self.stack.folder / "secrets")

    def _environment(self) -> dict[str, str]:
        at = self.stack.addresses
        return {
            **os.environ,
            "ESPACE_POSTGRES_URL": at.postgres,
            "ESPACE_OBJECTS_URL": at.objects,
            "ESPACE_OBJECTS_ACCESS_KEY": at.objects_access_key,
            "ESPACE_OBJECTS_SECRET_KEY": at.objects_secret_key,
        }


_FOLLOWED = f"SELECT FROM pg_replication_slots WHERE slot_name = '{SLOT}' AND active"


@pytest.fixture
def drill(tmp_path: Path) -> Iterator[Drill]:
    with private_folder("espace-drill-") as folder:
        stack = Stack(folder, private=True)
        stack.start()
        made = Drill(Platform(stack), tmp_path)
        yield made
        for app in made.applications:
            app.http.close()


def drafts_until(stop: threading.Event, app: App, acknowledged: dict[str, datetime]) -> None:
    """One draft after the other, each with the instant at which it was acknowledged."""
    with suppress(httpx.HTTPError):
        while not stop.is_set():
            answer = app.call("POST", "dossier/v1/dossiers", {"procedure": QUESTION})
            if answer.status_code != 201:
                return
            acknowledged[answer.json()["id"]] = utcnow()


@pytest.mark.long
@pytest.mark.timeout(600)
def test_all_that_is_lost_comes_back_as_of_a_chosen_instant(
    drill: Drill, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    platform, stack, citizens = drill.platform, drill.stack, Citizens(set())
    apps = [drill.login(citizens.take()) for _ in range(3)]
    for app in apps:
        confirm_space(platform, app)
    first, second, third = apps
    shutil.copytree(stack.folder / "secrets", drill.backups / "keys")
    with drill.followed():
        drill.backup("base", "--to", str(drill.backups))
        assert 'espace_last_success_timestamp_seconds{job="backup"}' in (drill.backups / METRICS).read_text()
        done = expect(first.submit(ready_claim(first, WITH_DRC)), 201)["dossier_id"]
        (piece,) = deposited_once(platform, first, done)["attachments"]
        lost_piece = f"documents/{piece['document_id']}"
        together([platform.part(reader).kill for reader in READERS])
        held = expect(second.submit(ready_claim(second, WITH_DRC)), 201)["dossier_id"]
        until("the broker holds all of it", lambda: platform.rows("dossier", "SELECT FROM outbox") == [])
        assert "objects copied" in drill.backup("objects", "--to", str(drill.backups)).stdout
        before = fingerprint(platform)
        ((at,),) = drill.server("SELECT clock_timestamp()")
        assert isinstance(at, datetime)

        late = expect(third.submit(ready_question(third)), 201)["dossier_id"]
        (orphan,) = (f"documents/{p['document_id']}" for p in third.dossier(late)["attachments"])
        acknowledged: dict[str, datetime] = {}
        stop = threading.Event()
        writer = threading.Thread(target=drafts_until, args=(stop, third, acknowledged))
        writer.start()
        until("many are acknowledged", lambda: len(acknowledged) >= 30)
        drill.lose()
        lost_at = utcnow()
        stop.set()
        writer.join(60)
    shutil.copytree(drill.backups / "keys", stack.folder / "secrets")

    # How much is lost when everything that was written down is used.
    scratch = Postgres(tmp_path / "scratch", Ports(tmp_path / "ports.json"), stack.secrets, durable=False)
    scratch.settle_ports({})
    target = reachable_folder(tmp_path / "scratch") / "postgres" / "data"
    drill.backup("restore", "--from", str(drill.backups), "--into", str(target))
    scratch.start()
    url = scratch.url_of("dossier", "postgres", stack.secrets.value("postgres"))
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        kept = {str(row[0]) for row in connection.execute("SELECT id FROM dossiers").fetchall()}
    scratch.kill()
    lost = {draft: instant for draft, instant in acknowledged.items() if draft not in kept}
    rpo = (lost_at - min(lost.values())).total_seconds() if lost else 0.0
    assert {done, held, late} <= kept
    assert len(lost) < len(acknowledged)

    # Back to the chosen instant.
    began = time.monotonic()
    drill.backup("restore", "--from", str(drill.backups), "--into", str(drill.data), "--at", at.isoformat())
    together([platform.part("postgres").start, platform.part("objects").start])
    until("the databases take writes", lambda: drill.server(IN_RECOVERY) == [(False,)], 60)
    differing = differences(before, fingerprint(platform))
    assert set(differing) == {"bucket"}, "each row of each table is as it was, and no other"
    platform.store.remove_object(BUCKET, lost_piece)
    told = drill.backup("reconcile", check=False)
    assert (told.returncode, f"1 MISSING:\n  {lost_piece}\n" in told.stdout) == (1, True), told.stdout
    told = drill.backup("reconcile", "--from", str(drill.backups))
    assert f"1 put back from the copy:\n  {lost_piece}\n" in told.stdout
    assert orphan in told.stdout.partition("no row knows")[2]
    stack.start()
    for service in PUBLISHERS:
        assert "due again" in drill.run(service, "refill", "--since", "2000-01-01T00:00:00Z")
    platform.settle()
    rto = time.monotonic() - began
    with capsys.disabled():
        print(
            f"\nrestored: RPO {rpo:.3f} s ({len(lost)} of {len(acknowledged)} drafts lost), RTO {rto:.1f} s"
        )

    for app, dossier_id in ((first, done), (second, held)):
        again = drill.login(app.person)
        assert again.citizen_id == app.citizen_id, "the key found her"
        assert deposited_once(platform, again, dossier_id)["state"] == "submitted"
    gone = drill.login(third.person)
    assert gone.call("GET", f"dossier/v1/dossiers/{late}").status_code == 404
