"""deploy/k8s says what the code says: programs, settings, secrets, ports, probes, images."""

import importlib
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from espace import program as kit_program
from espace import worker as kit_worker
from espace.http.app import _add_probes
from espace_stack.deployment import SECRETS, Deployment, environment
from espace_stack.layout import IMAGES, SYNTHETIC, ProgramName, programs
from espace_stack.mailbox.pages import create_app as mailbox
from espace_web.probes import probes as web_probes
from login_simulator.app import create_app as simulator
from login_simulator.settings import Settings as SimulatorSettings
from tests.deploy.compose import ROOT
from tests.deploy.kubernetes import (
    COMPONENT,
    NAME,
    OVERLAYS,
    VERSION,
    Object,
    Pods,
    of_kind,
    overlay,
    pods,
    selects,
    walk,
)
from tests.deploy.kubernetes import (
    environment as given,
)

PRODUCTION_LACKS = {
    "ESPACE_LEGAL_CLOCK_FILE": "legal time is real time",
    "ESPACE_UPSTREAM_INSIDE_URL": "the login source is outside",
    "ESPACE_UPSTREAM_STATUS_URL": "its own word on its means is asked where it has one",
    "ESPACE_GATEWAY_URL": "the synthetic citizen comes from outside",
}
PRODUCTION_HAS = {
    "ESPACE_CLAMD_ADDRESS": "files are scanned",
    "ESPACE_MAIL_FROM": "mail comes from the platform's own domain",
    "ESPACE_SMTP_SECURITY": "the mail server is outside",
    "ESPACE_SMTP_USERNAME": "and asks who we are",
    "ESPACE_SMTP_PASSWORD_FILE": "and for a proof",
}
PRODUCTION_CHANGES = {
    *("ESPACE_ENVIRONMENT", "ESPACE_PUBLIC_URL", "ESPACE_UPSTREAM_ISSUER", "ESPACE_UPSTREAM_CLIENT_ID"),
    *("ESPACE_REGISTER_URL", "ESPACE_OBJECTS_URL", "ESPACE_SMTP_HOST", "ESPACE_SMTP_PORT"),
}
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    folder = tmp_path_factory.mktemp("made")
    return Deployment(folder, public_url="http://localhost:8080", simulator_url="http://127.0.0.1:8081")


@pytest.fixture(scope="module")
def bundles(deployment: Deployment) -> dict[str, Any]:
    return dict(deployment.bundles())


def pods_of(name: str, program: str) -> Pods:
    return next(found for found in pods(name) if found.name == program)


def wanted(deployment: Deployment, program: ProgramName) -> dict[str, str]:
    return environment(deployment.settings.of(program))


# ---- settings


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.name)
def test_a_program_has_the_settings_that_the_code_gives_it(
    deployment: Deployment, program: ProgramName
) -> None:
    for container in pods_of("dev", program.name).containers:
        said = given("dev", container)
        if container["name"] == "schema" and program.role == "worker":
            said["ESPACE_WORKER_PORT"] = "9000"  # it serves nothing
        assert said == wanted(deployment, program)


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.name)
def test_in_production_it_has_the_same_but_for_what_is_listed(
    deployment: Deployment, program: ProgramName
) -> None:
    said = given("prod", pods_of("prod", program.name).program)
    there = wanted(deployment, program)
    assert there.keys() - said.keys() <= PRODUCTION_LACKS.keys()
    assert said.keys() - there.keys() <= PRODUCTION_HAS.keys()
    assert {name for name in there.keys() & said.keys() if there[name] != said[name]} <= PRODUCTION_CHANGES
    assert said["ESPACE_ENVIRONMENT"] == "production"


def test_what_is_listed_for_production_is_so() -> None:
    everything = [given("prod", found.program) for found in pods("prod") if found.is_ours]
    names = {name for settings in everything for name in settings}
    assert not names & PRODUCTION_LACKS.keys()
    assert names >= PRODUCTION_HAS.keys()


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_setting_is_read_and_what_is_needed_is_given(name: str) -> None:
    for found in pods(name):
        settings = settings_of(found)
        if settings is None:
            continue
        said = {variable.removesuffix("_FILE") for variable in given(name, found.program)}
        read = {f"ESPACE_{field.name.upper()}" for field in fields(settings)}
        read_as_files = {variable.removesuffix("_FILE") for variable in read}
        assert said <= read | read_as_files, found.name
        needed = {
            f"ESPACE_{field.name.upper()}".removesuffix("_FILE")
            for field in fields(settings)
            if field.default is MISSING and field.default_factory is MISSING
        }
        assert needed <= said, found.name


def test_simulator_and_synthetic_citizen_have_the_settings_that_the_code_gives_them(
    deployment: Deployment,
) -> None:
    said = given("dev", pods_of("dev", "simulator").program)
    assert said == environment(deployment.settings.simulator())
    said = given("dev", pods_of("dev", SYNTHETIC[0]).program)
    assert said == environment(deployment.settings.synthetic())


def test_secrets_are_made_for_the_addresses_that_browsers_use() -> None:
    said = given("dev", pods_of("dev", f"secrets-{VERSION.replace('.', '-')}").program)
    assert said["ESPACE_PUBLIC_URL"] == given("dev", pods_of("dev", "web").program)["ESPACE_PUBLIC_URL"]
    assert (
        said["ESPACE_SIMULATOR_URL"]
        == given("dev", pods_of("dev", "simulator").program)["SIMULATOR_PUBLIC_URL"]
    )


def test_the_gateway_is_given_what_its_routes_ask_for() -> None:
    text = (ROOT / "gateway" / "dynamic.yml").read_text()
    asked = set(re.findall(r'env "(\w+)" }}', text)) | set(re.findall(r'env "(\w+)" \| quote', text))
    loops = re.findall(r"range \$name := list ((?:\"\w+\" ?)+)", text)
    asked |= {f"GATEWAY_{name.upper()}" for loop in loops for name in re.findall(r'"(\w+)"', loop)}
    assert given("dev", pods_of("dev", "gateway").program).keys() == asked


# ---- secrets


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_pod_sees_its_own_secrets_only(name: str, bundles: dict[str, Any]) -> None:
    for found in pods(name):
        owner = found.labels[NAME]
        own = {owner} if owner in bundles else {"rabbitmq"} if owner == "queues" else set()
        assert set(found.secrets) - {"espace-ca"} == own, found.name


def secret_files(name: str, owner: str, bundles: dict[str, Any]) -> set[str]:
    """The files of a program's secret: what the code makes, or in production what is fetched."""
    if name == "dev":
        return set(bundles[owner])
    return set(of_kind(name, "ExternalSecret")[owner]["spec"]["target"]["template"]["data"])


@pytest.mark.parametrize("name", OVERLAYS)
def test_secrets_lie_where_the_settings_look_for_them(name: str, bundles: dict[str, Any]) -> None:
    for found in pods(name):
        for container in found.containers:
            mounts = [m["mountPath"] for m in container["volumeMounts"] if m["name"] == "secrets"]
            files = [Path(v) for v in given(name, container).values() if v.startswith(f"{SECRETS}/")]
            if files:
                assert mounts == [str(SECRETS)]
                assert {file.name for file in files} <= secret_files(name, found.labels[NAME], bundles)


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_secret_is_written_in_a_manifest(name: str) -> None:
    for content in overlay(name):
        assert content["kind"] != "Secret"
        for text in filter(lambda value: isinstance(value, str), walk(content)):
            assert "-----BEGIN" not in text
            assert not re.search(r"://[^/@:{ ]+:[^/@{ ]+@", text), text
    for found in pods(name):
        for container in found.containers:
            for variable, value in given(name, container).items():
                if re.search(r"SECRET|PASSWORD|KEY", variable):
                    assert value.startswith(f"{SECRETS}/"), variable


def test_who_makes_the_secrets_may_touch_those_alone(bundles: dict[str, Any]) -> None:
    rules = of_kind("dev", "Role")["secrets"]["rules"]
    named = {tuple(rule["resources"]): rule for rule in rules if "resourceNames" in rule}
    assert set(named[("secrets",)]["resourceNames"]) == bundles.keys() | {"made"}
    assert named[("configmaps",)]["resourceNames"] == ["legal-clock"]
    (free,) = (rule for rule in rules if "resourceNames" not in rule)
    assert free["verbs"] == ["create"]
    tokens = [found.name for found in pods("dev") if found.spec["automountServiceAccountToken"]]
    assert tokens == [f"secrets-{VERSION.replace('.', '-')}"]
    assert not any(found.spec["automountServiceAccountToken"] for found in pods("prod"))


def test_legal_time_is_shifted_in_the_demonstration_alone() -> None:
    for found in pods("dev"):
        if found.labels.get(COMPONENT) in ("api", "worker"):
            (volume,) = (v for v in found.spec["volumes"] if v["name"] == "legal")
            assert volume["configMap"] == {"name": "legal-clock"}
            mounts = {m["name"]: m["mountPath"] for m in found.program["volumeMounts"]}
            assert given("dev", found.program)["ESPACE_LEGAL_CLOCK_FILE"] == f"{mounts['legal']}/clock.json"
    assert "legal" not in str(overlay("prod"))


# ---- images


@pytest.mark.parametrize("name", OVERLAYS)
def test_images_are_ours_in_this_version_or_pinned(name: str) -> None:
    used = set()
    for found in pods(name):
        for container in found.containers:
            image, _, tag = container["image"].partition(":")
            assert container["imagePullPolicy"] == "IfNotPresent"
            if image.startswith("espace/"):
                used.add(image.removeprefix("espace/"))
                assert tag == VERSION
            else:
                assert re.search(r"\d+\.\d+", tag), container["image"]
    assert used == (IMAGES.keys() if name == "dev" else IMAGES.keys() - {"simulator"})


def test_servers_are_those_of_compose() -> None:
    compose = (ROOT / "docker-compose.yml").read_text() + (ROOT / "compose.seaweedfs.yml").read_text()
    for found in pods("dev"):
        if not found.is_ours:
            assert found.program["image"] in compose


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_service_runs_its_own_image(name: str) -> None:
    for found in pods(name):
        if found.is_a_service:
            assert {c["image"] for c in found.containers} == {f"espace/{found.labels[NAME]}:{VERSION}"}


# ---- roles, ports, probes


@pytest.mark.parametrize("name", OVERLAYS)
def test_there_is_every_program_and_its_migration(name: str) -> None:
    services = {found.name for found in pods(name) if found.is_a_service}
    migrations = {f"{program.service}-migrate-{VERSION.replace('.', '-')}" for program in programs()}
    assert services == {program.name for program in programs()} | migrations


@pytest.mark.parametrize("program", programs(), ids=lambda program: program.name)
def test_roles_are_started_as_the_program_knows_them(program: ProgramName) -> None:
    parser = kit_program.Program(
        program.service, settings=object, api=f"{program.package}.app:create_app", worker="w:w"
    )._parser()
    found = pods_of("dev", program.name)
    options = parser.parse_args(found.program["args"])
    (port,) = found.program["ports"]
    assert options.host == "0.0.0.0"
    role = kit_program.Program._api if program.role == "api" else kit_program.Program._worker
    assert options.run.__func__ is role
    assert port["containerPort"] == (
        options.port if program.role == "api" else int(given("dev", found.program)["ESPACE_WORKER_PORT"])
    )
    (schema,) = found.spec["initContainers"]
    assert parser.parse_args(schema["args"]).wait is True


@pytest.mark.parametrize("name", OVERLAYS)
def test_schemas_are_migrated_by_jobs_of_this_version_that_pods_wait_for(name: str) -> None:
    for found in pods(name):
        if found.labels.get(COMPONENT) == "migrate":
            assert found.owner["kind"] == "Job"
            assert found.program["args"] == ["migrate"]
            assert found.spec["restartPolicy"] == "Never"
        if found.owner["kind"] == "Job":
            assert found.name.endswith(f"-{VERSION.replace('.', '-')}")


@pytest.fixture(scope="module")
def routes() -> dict[str, set[str]]:
    """Image → the paths that probes may ask; of the kit's programs those of every one."""
    kit, web = Flask("kit"), Flask("web")
    nobody: Any = SimpleNamespace(declare=lambda *_: None)
    _add_probes(kit, nobody, nobody, nobody)
    web.register_blueprint(web_probes)
    login = SimulatorSettings(
        public_url="http://x", client_id="x", client_secret="x", redirect_uris=(), register_secret="x"
    )
    return {
        "kit": _paths(kit),
        "web": _paths(web),
        "simulator": _paths(simulator(login)),
        "stack": _paths(mailbox(nobody, nobody)),
        "worker": set(re.findall(r'"(/[a-z]+)"', Path(kit_worker.__file__).read_text())),
    }


@pytest.mark.parametrize("name", OVERLAYS)
def test_probes_ask_for_what_is_there(name: str, routes: dict[str, set[str]]) -> None:
    for found, probe in probes(name):
        ports = {port["name"]: port["containerPort"] for port in found.program["ports"]}
        kind = next(kind for kind in ("httpGet", "tcpSocket", "exec") if kind in probe)
        assert kind == "exec" or probe[kind]["port"] in ports, found.name
        if kind == "httpGet" and found.is_ours:
            image = found.program["image"].partition("/")[2].partition(":")[0]
            served = "worker" if ports.get("http") == 9000 else image if image in routes else "kit"
            assert probe["httpGet"]["path"] in routes[served], found.name


@pytest.mark.parametrize("name", OVERLAYS)
def test_alive_is_the_process_and_ready_its_database(name: str) -> None:
    for found in pods(name):
        if found.is_a_service and found.runs_on:
            assert found.program["livenessProbe"]["httpGet"]["path"] == "/livez"
            assert found.program["startupProbe"]["httpGet"]["path"] == "/livez"
            assert found.program["readinessProbe"]["httpGet"]["path"] == "/readyz"


@pytest.mark.parametrize("name", OVERLAYS)
def test_work_in_hand_is_finished_before_a_pod_is_killed(name: str) -> None:
    source = Path(kit_program.__file__).read_text()
    answer = float(re.findall(r"workers_kill_timeout=(\d+)", source)[0])
    drain = {"api": answer, "worker": kit_worker.DRAIN_SECONDS, "synthetic": kit_worker.DRAIN_SECONDS}
    for found in pods(name):
        if found.labels.get(COMPONENT) in drain:
            before = found.program.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
            assert found.spec["terminationGracePeriodSeconds"] >= before + drain[found.labels[COMPONENT]] + 5
            if found.labels[COMPONENT] == "api":
                assert before >= 3  # an address leads to an ending pod a moment longer


@pytest.mark.parametrize("name", OVERLAYS)
def test_addresses_lead_to_a_port_that_is_open(name: str) -> None:
    services = of_kind(name, "Service")
    for service in services.values():
        if service["spec"].get("type") == "ExternalName":
            continue
        behind = [f for f in pods(name) if selects({"matchLabels": service["spec"]["selector"]}, f.labels)]
        assert [found.runs_on for found in behind] == [True], service["metadata"]["name"]
        open_ports = {port["name"]: port["containerPort"] for port in behind[0].program["ports"]}
        for port in service["spec"]["ports"]:
            assert open_ports[port["targetPort"]] == port["port"]
    inside = {f"{p.name}" for p in programs() if p.role == "api"}
    assert inside <= services.keys()


@pytest.mark.parametrize("name", OVERLAYS)
def test_addresses_inside_are_services(name: str) -> None:
    services = of_kind(name, "Service")
    ports = {f"{n}:{p['port']}" for n, s in services.items() for p in s["spec"].get("ports", [])}
    for found in pods(name):
        for value in given(name, found.program).values():
            if address := re.fullmatch(r"http://([a-z-]+:\d+)", value):
                assert address[1] in ports or address[1].startswith(("localhost:", "127.")), value


def probes(name: str) -> Iterator[tuple[Pods, Object]]:
    for found in pods(name):
        for kind in PROBES:
            if kind in found.program:
                yield found, found.program[kind]


def settings_of(found: Pods) -> Any:
    image = found.program["image"].partition("/")[2].partition(":")[0]
    if image in ("simulator", "stack") or not found.is_ours:
        return None
    module = importlib.import_module(f"{IMAGES[image][1]}.settings")
    return getattr(module, "WebSettings", None) or module.Settings


def _paths(app: Flask) -> set[str]:
    return {rule.rule for rule in app.url_map.iter_rules()}
