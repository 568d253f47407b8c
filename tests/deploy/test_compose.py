"""docker-compose.yml says what the code says: programs, settings, secrets, ports, images."""

import re
import tomllib
from pathlib import Path

import pytest

from espace_stack.deployment import Deployment, environment
from espace_stack.layout import IMAGES, SERVICES, WEB, ProgramName, programs
from tests.deploy.compose import ROOT, compose, runs_once, services

VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
PUBLISHED = {"gateway", "simulator", "mailbox", "prometheus", "alertmanager", "grafana"}
OURS = {program.name for program in programs()} | {"simulator", "synthetic", "mailbox"}


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    folder = tmp_path_factory.mktemp("made")
    return Deployment(folder, public_url="http://localhost:8080", simulator_url="http://127.0.0.1:8081")


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.name)
def test_a_program_has_the_settings_that_the_code_gives_it(
    deployment: Deployment, program: ProgramName
) -> None:
    said = {name: str(value) for name, value in services()[program.name]["environment"].items() if value}
    wanted = environment(deployment.settings.of(program))
    said.pop("ESPACE_WORKER_PORT")  # one block for both roles; an API does not open it
    wanted.pop("ESPACE_WORKER_PORT", None)
    assert said == wanted


def test_the_simulator_has_the_settings_that_the_code_gives_it(deployment: Deployment) -> None:
    assert services()["simulator"]["environment"] == environment(deployment.settings.simulator())


def test_the_synthetic_citizen_has_the_settings_that_the_code_gives_it(deployment: Deployment) -> None:
    assert services()["synthetic"]["environment"] == environment(deployment.settings.synthetic())


def test_every_schema_is_migrated_before_its_programs_start() -> None:
    for service in (*SERVICES, WEB[0]):
        migration = services()[f"{service}-migrate"]
        assert migration["command"] == ["migrate"]
        assert migration["environment"] == services()[_api(service)]["environment"]
        for program in (program for program in programs() if program.service == service):
            wanted = {f"{service}-migrate": {"condition": "service_completed_successfully"}}
            assert services()[program.name]["depends_on"] == wanted


def test_images_are_those_of_the_dockerfile_in_this_version() -> None:
    for name, service in services().items():
        image = service["image"]
        if not image.startswith("espace/"):
            continue
        kind = image.removeprefix("espace/").partition(":")[0]
        source, package = IMAGES[kind]
        assert image == f"espace/{kind}:{VERSION}", name
        assert service["build"]["args"] == {"SOURCE": source, "PACKAGE": package}, name
        assert (ROOT / source / package).is_dir()
    used = {service["image"].removeprefix("espace/").partition(":")[0] for service in services().values()}
    assert IMAGES.keys() <= used
    assert f"ARG VERSION={VERSION}\n" in (ROOT / "Dockerfile").read_text()


def test_foreign_images_are_pinned() -> None:
    for name, service in services().items():
        tag = service["image"].rpartition(":")[2]
        assert re.search(r"\d+\.\d+|RELEASE\.\d{4}-\d\d-\d\d", tag), f"{name}: {service['image']}"


def test_what_runs_on_is_watched_limited_and_quiet() -> None:
    for name, service in services().items():
        assert service["logging"]["options"]["max-size"], name
        assert service["mem_limit"], name
        if not runs_once(service):
            assert service["restart"] == "unless-stopped", name
            assert "healthcheck" in service or service["image"].startswith(
                ("clamav/", "prom/", "grafana/", "quay.io/")
            )
            assert "no-new-privileges:true" in service["security_opt"] or name == "clamav"


def test_our_programs_can_write_nothing_but_their_temporary_files() -> None:
    for name, service in services().items():
        if service["image"].startswith("espace/"):
            assert service["read_only"] is True
            assert service["tmpfs"] == ["/tmp"]
            assert service["cap_drop"] == ["ALL"]
            assert service.get("user") == ("0:0" if name == "secrets" else None)


def test_a_program_sees_its_own_secrets_only() -> None:
    for name, service in services().items():
        mounted = [volume for volume in service.get("volumes", []) if "compose/secrets" in volume]
        kind = service["image"].removeprefix("espace/").partition(":")[0]
        owner = kind if kind in (*SERVICES, "web", "simulator") else name
        for volume in mounted:
            source, _target, *mode = volume.split(":")
            if name == "secrets":
                continue
            assert Path(source).parts[2] == "secrets"
            assert Path(source).parts[3] == owner, name
            assert mode == ["ro"]


def test_what_is_published_listens_on_the_loopback_address() -> None:
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert published.keys() == PUBLISHED
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_each_preparation_is_waited_for() -> None:
    waited = {
        other
        for service in services().values()
        for other, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    assert waited == {name for name, service in services().items() if runs_once(service)}


def test_the_gateway_is_given_what_its_routes_ask_for() -> None:
    asked = set(re.findall(r'env "(\w+)"', (ROOT / "gateway" / "dynamic.yml").read_text()))
    loops = re.findall(
        r"range \$name := list ((?:\"\w+\" ?)+)", (ROOT / "gateway" / "dynamic.yml").read_text()
    )
    asked |= {f"GATEWAY_{name.upper()}" for loop in loops for name in re.findall(r'"(\w+)"', loop)}
    assert services()["gateway"]["environment"].keys() == asked


def test_volumes_that_are_named_are_used() -> None:
    used = {
        volume.partition(":")[0]
        for service in services().values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert used == compose()["volumes"].keys()


def test_every_bound_file_is_in_the_repository() -> None:
    for name, service in services().items():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("./") and "compose/secrets" not in source:
                assert (ROOT / source).exists(), f"{name}: {source}"


def _api(service: str) -> str:
    return service if service == WEB[0] else f"{service}-api"
