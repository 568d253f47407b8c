"""What each program is given is what it reads: in the stack and in a deployment of containers."""

import dataclasses
import importlib
from pathlib import Path
from typing import Any

import pytest

from espace_stack import configuring
from espace_stack.deployment import Deployment, environment, write
from espace_stack.layout import CALLS, SPEAK_AMQP, SYNTHETIC, ProgramName, programs

OUTSIDE_OF_SETTINGS = {"ESPACE_CRASH_DIR"}
"""Read by the kit itself."""


def fields_of(program: ProgramName) -> dict[str, bool]:
    """Variable → whether the program cannot do without it."""
    module = importlib.import_module(f"{program.package}.settings")
    cls: Any = getattr(module, "WebSettings" if program.service == "web" else "Settings")
    missing = dataclasses.MISSING
    return {
        f"ESPACE_{field.name.upper()}": field.default is missing and field.default_factory is missing
        for field in dataclasses.fields(cls)
    }


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    folder = tmp_path_factory.mktemp("made")
    return Deployment(folder, public_url="http://localhost:8080", simulator_url="http://127.0.0.1:8081")


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.name)
def test_a_program_is_given_what_it_reads_and_nothing_else(
    deployment: Deployment, program: ProgramName
) -> None:
    fields = fields_of(program)
    given = {
        name.removesuffix("_FILE") if name not in fields else name for name in deployment.settings.of(program)
    }
    assert given - OUTSIDE_OF_SETTINGS <= fields.keys()
    assert {name for name, needed in fields.items() if needed} <= given


def test_the_synthetic_citizen_is_given_what_it_reads_and_nothing_else(deployment: Deployment) -> None:
    fields = fields_of(ProgramName(*SYNTHETIC, "worker"))
    given = {name.removesuffix("_FILE") for name in deployment.settings.synthetic()}
    assert given <= fields.keys()
    assert {name for name, needed in fields.items() if needed} <= given


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.name)
def test_who_calls_whom_and_who_speaks_with_the_broker_is_what_the_settings_say(program: ProgramName) -> None:
    needed = {name for name, needed in fields_of(program).items() if needed}
    called = {service for service in CALLS if f"ESPACE_{service.upper()}_URL" in needed}
    assert called == set(CALLS[program.service])
    assert ("ESPACE_AMQP_URL" in needed) == (program.service in SPEAK_AMQP)


def test_secrets_are_made_once_and_each_program_sees_its_own(deployment: Deployment, tmp_path: Path) -> None:
    bundles = deployment.bundles()
    write(bundles, tmp_path)
    assert deployment.bundles() == bundles
    for program in programs():
        settings = deployment.settings.of(program)
        for name, value in environment(settings).items():
            if value.startswith("/run/secrets/"):
                file = tmp_path / program.service / value.removeprefix("/run/secrets/")
                assert file.read_text() == Path(settings[name]).read_text()
    assert not {"national-number-key", "signing-keys"} & bundles["dossier"].keys()
    secrets = [value for name, bundle in bundles.items() if name != "prepare" for value in bundle.values()]
    assert "change-me" not in "".join(secrets)


def test_the_page_of_settings_is_as_the_settings_are() -> None:
    assert configuring.PAGE.read_text(encoding="utf-8") == configuring.page(), (
        "python -m espace_stack.configuring writes it again"
    )
