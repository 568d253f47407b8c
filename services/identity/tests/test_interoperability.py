"""A standard client that shares no library with ours logs in through real processes."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "openid_client"


@pytest.fixture(scope="module")
def node() -> Path:
    """The client's packages, which the set-up of the tests brings from its lock."""
    assert (FOLDER / "node_modules").exists(), "run `python3 stack/bootstrap.py --tests`"
    return FOLDER


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
