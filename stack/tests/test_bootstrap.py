"""Set-up without the right to install prints the exact command."""

import importlib.util
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
