"""On a cluster: updates, kills and scaling while citizens file; what policies refuse (``make test-k8s``)."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest

from espace.testing import until
from espace_stack.layout import programs
from espace_stack.testing.cluster import kubectl
from espace_stack.testing.platform import Platform
from tests.deploy.kubernetes import VERSION
from tests.e2e.app import AWAY, App, expect
from tests.e2e.claims import WITH_DRC, ready_claim, ready_question
from tests.e2e.conftest import NewApp
from tests.e2e.once import deposited_once

pytestmark = pytest.mark.cluster
SERVERS = ("postgres", "rabbitmq", "objects")
CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5).close()"


class Filing:
    """A citizen who files one question after the other, and never asks twice."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.done: list[str] = []
        self.failed: list[str] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._file)

    def _file(self) -> None:
        while not self._ended.is_set():
            try:
                dossier = ready_question(self._app)
                self.done.append(expect(self._app.submit(dossier), 201)["dossier_id"])
            except (AssertionError, httpx.HTTPError) as error:
                self.failed.append(f"{type(error).__name__}: {error}")

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """While inside she files; at least two before it begins and two after it ends."""
        self._thread.start()
        try:
            until("two deposits", lambda: len(self.done) + len(self.failed) >= 2)
            yield
            after = len(self.done) + len(self.failed) + 2
            until("two more", lambda: len(self.done) + len(self.failed) >= after)
        finally:
            self._ended.set()
            self._thread.join(120)


@pytest.mark.timeout(1800)
def test_every_program_is_updated_while_citizens_file_and_no_request_fails(
    platform: Platform, new_app: NewApp, capsys: pytest.CaptureFixture[str]
) -> None:
    app = new_app()
    filing = Filing(app)
    with filing.going_on():
        for program in programs():
            platform.part(program.name).restart()
        platform.part("gateway").restart()
    with capsys.disabled():
        print(
            f"\n{len(filing.done)} deposits during the update of {len(programs())} programs and the gateway"
        )
    assert filing.failed == []
    for dossier_id in filing.done:
        app.refresh()  # there are many, and a token lives for some minutes
        deposited_once(platform, app, dossier_id)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", [*(program.name for program in programs()), "gateway", *SERVERS])
def test_a_pod_that_is_killed_costs_a_repeat_at_most(platform: Platform, candidate: App, name: str) -> None:
    dossier, key = ready_claim(candidate, WITH_DRC), str(uuid4())
    platform.part(name).kill()
    until("a receipt", lambda: _received(candidate, dossier, key), 300)
    platform.part(name).wait_ready()
    until("an answer over a new connection", lambda: _answers(candidate), 60)
    deposited_once(platform, candidate, dossier["id"])


def _answers(app: App) -> bool:
    try:
        return app.call("GET", "profile/v1/profile").status_code == 200
    except httpx.TransportError:  # one that was kept open leads to a pod that is gone
        return False


def _received(app: App, dossier: object, key: str) -> bool:
    try:
        answer = app.submit(dossier, key)
    except httpx.TransportError:  # of the gateway's own connections
        return False
    assert answer.status_code in (201, 409, *AWAY), answer.text
    return answer.status_code == 201


@pytest.mark.timeout(900)
def test_a_worker_becomes_four_and_everything_is_done_once(platform: Platform, candidate: App) -> None:
    worker = platform.part("notifier-worker")
    worker.scale(4)  # type: ignore[attr-defined]
    assert len(worker.pods()) == 4  # type: ignore[attr-defined]
    dossiers = [ready_question(candidate) for _ in range(8)]
    done = [expect(candidate.submit(dossier), 201)["dossier_id"] for dossier in dossiers]
    for dossier_id in done:
        deposited_once(platform, candidate, dossier_id)
    worker.scale(1)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("workload", "to", "allowed"),
    [
        ("deployment/notifier-worker", "rabbitmq:5672", True),
        ("deployment/notifier-worker", "mailbox:8025", True),
        ("deployment/notifier-worker", "objects:9000", False),
        ("deployment/documents-worker", "objects:9000", True),
        ("deployment/documents-worker", "mailbox:8025", False),
        ("deployment/dossier-api", "postgres:5432", True),
        ("deployment/dossier-api", "rabbitmq:5672", False),
        ("deployment/web", "rabbitmq:5672", False),
    ],
)
def test_a_connection_is_let_through_where_it_is_needed_alone(
    platform: Platform, workload: str, to: str, allowed: bool
) -> None:
    command = ["exec", workload, "--container", "program", "--", "python3", "-c", CONNECT, *to.split(":")]
    assert _succeeds(*command) is allowed


@pytest.mark.parametrize(("to", "allowed"), [("web:8000", True), ("postgres:5432", False)])
def test_the_gateway_reaches_programs_and_no_database(platform: Platform, to: str, allowed: bool) -> None:
    (pod,) = platform.part("gateway").pods()  # type: ignore[attr-defined]
    name = f"probe-{uuid4().hex[:6]}"
    host, port = to.split(":")
    kubectl(
        *("debug", pod, f"--image=espace/stack:{VERSION}", "--profile=restricted", f"--container={name}"),
        *("--image-pull-policy=IfNotPresent", "--", "python3", "-c", CONNECT, host, port),
    )

    def ended() -> dict[str, int] | None:
        states = json.loads(kubectl("get", pod, "--output", "json"))["status"]["ephemeralContainerStatuses"]
        found: dict[str, int] | None = next(s for s in states if s["name"] == name)["state"].get("terminated")
        return found

    code = until("the probe's end", ended, 60)["exitCode"]
    assert (code == 0) is allowed


def _succeeds(*command: str) -> bool:
    try:
        kubectl(*command, seconds=60)
    except RuntimeError as error:
        if "timed out" in str(error) or "refused" in str(error):
            return False
        raise
    return True
