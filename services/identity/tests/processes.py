"""Identity and the simulator as real processes."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx

from espace.auth import tls
from espace.clock import LegalTime
from espace.testing import until
from services.identity.tests.house import CLIENTS

DEADLINE_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_identity(database_url: str, signing_key: str, folder: Path) -> Iterator[str]:
    """Identity and the simulator, each a process; the issuer."""
    identity, simulator = free_port(), free_port()
    public, source = f"http://localhost:{identity}", f"http://127.0.0.1:{simulator}"
    clients = folder / "clients.json"
    clients.write_text(json.dumps(CLIENTS).replace("http://localhost:8080", public), encoding="utf-8")
    legal = folder / "legal.json"
    LegalTime(offset=timedelta(days=-365)).save(legal)  # pages are seen with the banner
    environments: dict[str, dict[str, str]] = {
        "login_simulator": {
            "SIMULATOR_PUBLIC_URL": source,
            "SIMULATOR_CLIENT_ID": "identity",
            "SIMULATOR_CLIENT_SECRET": "source-secret",
            "SIMULATOR_REDIRECT_URIS": f"{public}/identity/callback",
            "SIMULATOR_REGISTER_SECRET": "register-secret",
        },
        "identity_service": {
            "ESPACE_DATABASE_URL": database_url,
            "ESPACE_PUBLIC_URL": public,
            "ESPACE_ENVIRONMENT": "test",
            "ESPACE_LEGAL_CLOCK_FILE": str(legal),
            "ESPACE_NATIONAL_NUMBER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "ESPACE_SIGNING_KEYS": signing_key,
            "ESPACE_CLIENTS_FILE": str(clients),
            "ESPACE_UPSTREAM_ISSUER": source,
            "ESPACE_UPSTREAM_STATUS_URL": f"{source}/status",
            "ESPACE_UPSTREAM_CLIENT_ID": "identity",
            "ESPACE_UPSTREAM_CLIENT_SECRET": "source-secret",
            "ESPACE_REGISTER_URL": source,
            "ESPACE_REGISTER_SECRET": "register-secret",
        },
    }
    commands = {
        "login_simulator": ["--port", str(simulator)],
        "identity_service": ["api", "--port", str(identity)],
    }
    log = (folder / "processes.log").open("wb")
    running = [
        subprocess.Popen(
            [sys.executable, "-m", module, *commands[module]],
            env={**os.environ, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        for module, environment in environments.items()
    ]
    try:
        for address in (f"{source}/readyz", f"http://127.0.0.1:{identity}/readyz"):
            wait_for(address, running, folder / "processes.log")
        yield f"{public}/identity"
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)
        log.close()


def wait_for(address: str, running: list[subprocess.Popen[bytes]], log: Path) -> None:
    def told() -> str:
        return f"an answer of {address}; the programs told:\n{log.read_text()[-3000:]}"

    def ready() -> bool:
        assert all(process.poll() is None for process in running), told()
        try:
            return httpx.get(address, timeout=2, verify=tls.context(address)).status_code == 200
        except httpx.HTTPError:
            return False

    until(told, ready, DEADLINE_SECONDS)
