"""Crash points kill for real, once, and only in tests."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest


def reach(folder: Path, environment: str) -> int:
    code = "from espace import crash; crash.point('a.point')"
    variables = {"ESPACE_CRASH_DIR": str(folder), "ESPACE_ENVIRONMENT": environment}
    return subprocess.run([sys.executable, "-c", code], env=variables, check=False).returncode


def test_an_armed_point_kills_once(tmp_path: Path) -> None:
    (tmp_path / "a.point").touch()
    assert reach(tmp_path, "test") == -signal.SIGKILL
    assert reach(tmp_path, "test") == 0


@pytest.mark.parametrize("environment", ["production", "demo"])
def test_outside_tests_a_point_does_nothing(tmp_path: Path, environment: str) -> None:
    (tmp_path / "a.point").touch()
    assert reach(tmp_path, environment) == 0
