"""Set-up: with the Python at hand, and with the exact command where something may not be installed."""

import importlib.util
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def bootstrap() -> ModuleType:
    place = Path(__file__).parents[1] / "bootstrap.py"
    spec = importlib.util.spec_from_file_location("bootstrap", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_missing_package_without_root_prints_the_command(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
    assert bootstrap.install(["rabbitmq-server"]) is False
    said = capsys.readouterr().err
    expected = "sudo apt-get update && sudo apt-get install -y --no-install-recommends rabbitmq-server"
    assert expected in said


def test_services_of_new_packages_do_not_start_and_the_rule_is_put_back(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(bootstrap, "POLICY", policy)
    with bootstrap._no_service_starts():
        assert "exit 101" in policy.read_text()
    assert not policy.exists()


def test_policy_that_was_there_is_not_touched(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    policy = tmp_path / "policy-rc.d"
    policy.write_text("mine")
    monkeypatch.setattr(bootstrap, "POLICY", policy)
    with bootstrap._no_service_starts():
        assert policy.read_text() == "mine"
    assert policy.read_text() == "mine"


def test_environment_is_made_with_the_python_that_runs_the_set_up(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = tomllib.loads((bootstrap.ROOT / "pyproject.toml").read_text())
    kept = {name: settings["tool"]["uv"][name] for name in ("python-downloads", "python-preference")}
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.11"\n[tool.uv]\npackage = false\n'
        + "".join(f'{name} = "{value}"\n' for name, value in kept.items())
    )
    uv = bootstrap.find_uv()
    lock = [uv, "lock", "--quiet", "--offline", "--python", sys.executable]
    subprocess.run(lock, cwd=tmp_path, check=True, env={"PATH": ""})
    (tmp_path / ".python-version").write_text("3.99\n")  # which uv finds nowhere, and may not download
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    assert bootstrap.synchronize() == 0
    ask = [str(tmp_path / ".venv" / "bin" / "python"), "-c", "import sys; print(sys.base_prefix)"]
    assert subprocess.check_output(ask, text=True).strip() == sys.base_prefix
    assert bootstrap.synchronize() == 0  # again, whatever is pinned


def test_repository_pins_no_python(bootstrap: ModuleType) -> None:
    assert not (bootstrap.ROOT / ".python-version").exists()
