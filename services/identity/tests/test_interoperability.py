"""A standard client that shares no library with ours logs in through real processes."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.identity.tests.house import CLIENTS

FOLDER = Path(__file__).parent / "openid_client"
DEADLINE_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def node() -> Path:
    """The client's packages, from its lock."""
    subprocess.run(
        ["npm", "ci", "--prefer-offline", "--no-audit", "--no-fund"],
        cwd=FOLDER,
        check=True,
        capture_output=True,
        timeout=240,
    )
    return FOLDER


@pytest.fixture
def issuer(fresh_database: Callable[[str], str], signing_key: str, tmp_path: Path) -> Iterator[str]:
    """Identity and the simulator, each a process."""
    identity, simulator = free_port(), free_port()
    public, source = f"http://localhost:{identity}", f"http://127.0.0.1:{simulator}"
    clients = tmp_path / "clients.json"
    clients.write_text(json.dumps(CLIENTS).replace("http://localhost:8080", public), encoding="utf-8")
    environments: dict[str, dict[str, str]] = {
        "login_simulator": {
            "SIMULATOR_PUBLIC_URL": source,
            "SIMULATOR_CLIENT_ID": "identity",
            "SIMULATOR_CLIENT_SECRET": "source-secret",
            "SIMULATOR_REDIRECT_URIS": f"{public}/identity/callback",
            "SIMULATOR_REGISTER_SECRET": "register-secret",
        },
        "identity_service": {
            "ESPACE_DATABASE_URL": fresh_database("identity_service"),
            "ESPACE_PUBLIC_URL": public,
            "ESPACE_ENVIRONMENT": "test",
            "ESPACE_NATIONAL_NUMBER_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            "ESPACE_SIGNING_KEYS": signing_key,
            "ESPACE_CLIENTS_FILE": str(clients),
            "ESPACE_UPSTREAM_ISSUER": source,
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
    log = (tmp_path / "processes.log").open("wb")
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
            wait_for(address, running, tmp_path / "processes.log")
        yield f"{public}/identity"
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)
        log.close()


def wait_for(address: str, running: list[subprocess.Popen[bytes]], log: Path) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        assert all(process.poll() is None for process in running), log.read_text()[-3000:]
        try:
            if httpx.get(address, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise AssertionError(log.read_text()[-3000:])


def log_in(node: Path, issuer: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        ["node", "login.mjs", issuer, *arguments],
        cwd=node,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_openid_client_logs_in_confidential_and_public(node: Path, issuer: str) -> None:
    callback = issuer.replace("/identity", "/connexion/retour")
    web = log_in(node, issuer, "web", "web-secret", callback, "itsme", "lucie")
    assert web["userinfo"]["name"] == "Lucie Delvaux"
    assert web["claims"]["acr"] == "urn:be:fedict:iam:fas:Level450"
    assert (web["refreshReuse"], web["familyAfterReuse"]) == ("invalid_grant", "invalid_grant")
    assert web["codeReuse"] == "invalid_grant"
    assert web["logout"] == 200
    mobile = log_in(node, issuer, "mobile", "-", "https://app.example/callback", "sms", "marc")
    assert mobile["userinfo"]["given_name"] == "Marc"
    assert mobile["claims"]["amr"] == ["sms", "urn:be:fedict:iam:fas:Level400"]
