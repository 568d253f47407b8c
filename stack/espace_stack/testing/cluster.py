"""The platform of ``deploy/k8s/overlays/dev`` on the cluster of ``KUBECONFIG``, for the same tests."""

import base64
import contextlib
import json
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
from minio import Minio

from espace.testing import until
from espace_stack.deployment import ADMINISTRATOR
from espace_stack.layout import ROOT
from espace_stack.mailbox.client import Mailbox
from espace_stack.parts.objects import client
from espace_stack.ports import answers, free_port
from espace_stack.testing.platform import Platform

NAMESPACE: Final = "espace"
OVERLAY: Final = ROOT / "deploy" / "k8s" / "overlays" / "dev"
READY_SECONDS: Final = 600
DOORS: Final = {8080: 30080, 8081: 30081}
"""Where browsers expect gateway and login source on this machine → the port of the node."""


class NoCluster(Exception):
    """There is no cluster to test against; the message says what to do."""


def kubectl(*arguments: str, text: str = "", seconds: float = READY_SECONDS) -> str:
    """What ``kubectl`` said, in the platform's namespace.

    Raises:
        RuntimeError: it failed; with what it said.
    """
    done = subprocess.run(
        ["kubectl", "--namespace", NAMESPACE, *arguments],
        input=text,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


def workloads() -> list[str]:
    """Everything that runs on: ``deployment.apps/dossier-api`` …"""
    return kubectl("get", "deployments,statefulsets", "--output", "name").split()


class PodPart:
    """All pods of one Deployment or StatefulSet, with the verbs that a part of the stack has."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._workload = next(found for found in workloads() if found.endswith(f"/{name}"))

    def start(self) -> None:
        """Wait until it is ready: what was killed comes back by itself."""
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until every pod that there is to be is ready, in its newest shape."""
        kubectl("rollout", "status", self._workload, f"--timeout={READY_SECONDS}s")

    def kill(self) -> None:
        """``kill -9``, without a word before."""
        kubectl("delete", "--grace-period=0", "--force", *self.pods())

    def restart(self) -> None:
        """A rolling update to what it is already."""
        kubectl("rollout", "restart", self._workload)
        self.wait_ready()

    def scale(self, replicas: int) -> None:
        """So many of it, ready."""
        kubectl("scale", self._workload, f"--replicas={replicas}")
        self.wait_ready()

    def pods(self) -> list[str]:
        """Its pods: ``pod/dossier-api-5d9f8c7b6-abcde`` …"""
        found = json.loads(kubectl("get", self._workload, "--output", "json"))
        labels = found["spec"]["selector"]["matchLabels"]
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        return kubectl("get", "pods", "--selector", selector, "--output", "name").split()


class ClusterPlatform(Platform):
    """The platform as ``kubectl apply -k deploy/k8s/overlays/dev`` makes it."""

    def __init__(self, ports: dict[str, int]) -> None:
        self._ports = ports
        self._logs = Path(tempfile.mkdtemp(prefix="espace-logs-"))

    @property
    def public_url(self) -> str:
        return "http://localhost:8080"

    @cached_property
    def mail(self) -> Mailbox:
        return Mailbox(f"http://127.0.0.1:{self._ports['mailbox']}", 8025)

    def part(self, name: str) -> PodPart:  # type: ignore[override]  # of a part what tests use anywhere
        return PodPart(name)

    def database_url(self, service: str) -> str:
        inside = urlsplit(_secret(service, "database-url"))
        return inside._replace(
            netloc=f"{inside.username}:{inside.password}@127.0.0.1:{self._ports['postgres']}"
        ).geturl()

    def rows(self, service: str, query: str) -> list[tuple[Any, ...]]:
        """What a query finds; a way that led to a pod which is gone is made again meanwhile."""

        def found() -> tuple[list[tuple[Any, ...]]] | None:
            try:
                return (super(ClusterPlatform, self).rows(service, query),)
            except psycopg.OperationalError:
                return None

        return until(f"the database of {service}", found, READY_SECONDS)[0]

    @property
    def store(self) -> Minio:
        return client(
            f"http://127.0.0.1:{self._ports['objects']}", ADMINISTRATOR, _secret("prepare", "objects")
        )

    def logs(self) -> list[Path]:
        for workload in workloads():
            text = kubectl("logs", workload, "--all-pods", "--prefix=false", "--tail=-1")
            (self._logs / f"{workload.rpartition('/')[2]}.log").write_text(text, encoding="utf-8")
        return sorted(self._logs.glob("*.log"))

    def heal(self) -> None:
        """Everything is ready, and the mailbox well-behaved."""
        for workload in workloads():
            kubectl("rollout", "status", workload, f"--timeout={READY_SECONDS}s")
        self.mail.switch("ok")


@contextlib.contextmanager
def applied() -> Iterator[ClusterPlatform]:
    """The overlay on the cluster, everything ready; it stays there.

    Raises:
        NoCluster: none answers.
    """
    asked = subprocess.run(["kubectl", "version"], capture_output=True, text=True, check=False)
    if asked.returncode:
        raise NoCluster(f"no cluster answers: {asked.stderr.strip()}\nSet KUBECONFIG.")
    kubectl("apply", "--kustomize", str(OVERLAY))
    for workload in workloads():
        kubectl("rollout", "status", workload, f"--timeout={READY_SECONDS}s")
    node = json.loads(kubectl("get", "nodes", "--output", "json"))["items"][0]
    address = next(one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP")
    with contextlib.ExitStack() as stack:
        for here, there in DOORS.items():
            stack.enter_context(_door(here, (address, there)))
        services = {"mailbox": 8082, "postgres": 5432, "objects": 9000}
        ports = {name: stack.enter_context(_forwarded(name, port)) for name, port in services.items()}
        yield ClusterPlatform(ports)


@contextlib.contextmanager
def _forwarded(service: str, port: int) -> Iterator[int]:
    """A port here that leads to a service; begun again when its pod goes."""
    here, ended = free_port(), threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def forward() -> None:
        command = [
            "kubectl",
            "--namespace",
            NAMESPACE,
            "port-forward",
            f"service/{service}",
            f"{here}:{port}",
        ]
        while not ended.is_set():
            running[:] = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)]
            running[0].wait()
            ended.wait(0.5)

    thread = threading.Thread(target=forward, daemon=True)
    thread.start()
    until(f"the way to {service}", lambda: answers(here))
    try:
        yield here
    finally:
        ended.set()
        running[0].kill()
        thread.join(10)


@contextlib.contextmanager
def _door(port: int, to: tuple[str, int]) -> Iterator[None]:
    """Let connections to a port of this machine through to a node's."""
    listening = socket.create_server(("127.0.0.1", port))

    def serve() -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(to, timeout=10)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            threading.Thread(target=_lead, args=(near, far), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(10)


def _lead(near: socket.socket, far: socket.socket) -> None:
    """Both ways, until both have ended."""
    with near, far:
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _secret(name: str, file: str) -> str:
    found: dict[str, Any] = json.loads(kubectl("get", "secret", name, "--output", "json"))
    return base64.b64decode(found["data"][file]).decode()
