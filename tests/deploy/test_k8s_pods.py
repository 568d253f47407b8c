"""What every pod has to have: the checks of kube-score and of Pod Security's level "restricted"."""

import re
from collections import Counter

import pytest

from tests.deploy.kubernetes import COMPONENT, NAME, OVERLAYS, Object, Pods, of_kind, pods, selects

EVERY_POD = pytest.mark.parametrize(
    ("name", "found"),
    [(name, found) for name in OVERLAYS for found in pods(name)],
    ids=lambda value: value.name if isinstance(value, Pods) else value,
)
FOREIGN_USERS = {"postgres": 999, "rabbitmq": 999}
"""Images that know one account alone."""
ALLOWED_VOLUMES = {
    "configMap",
    "emptyDir",
    "secret",
    "persistentVolumeClaim",
    "projected",
    "downwardAPI",
    "csi",
}


@EVERY_POD
def test_pod_is_restricted(name: str, found: Pods) -> None:
    pod = found.spec["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & found.spec.keys()
    for volume in found.spec["volumes"]:
        assert volume.keys() - {"name"} <= ALLOWED_VOLUMES
    for container in found.containers:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert not any("hostPort" in port for port in container.get("ports", []))


@EVERY_POD
def test_account_of_the_process_is_a_high_one_and_owns_its_volumes(name: str, found: Pods) -> None:
    pod = found.spec["securityContext"]
    wanted = FOREIGN_USERS.get(found.labels[NAME], 10001)
    assert {pod["runAsUser"], pod["runAsGroup"], pod["fsGroup"]} == {wanted}
    assert pod["fsGroupChangePolicy"] == "OnRootMismatch"


@EVERY_POD
def test_account_in_the_cluster_has_no_token(name: str, found: Pods) -> None:
    assert found.spec["enableServiceLinks"] is False
    accounts = of_kind(name, "ServiceAccount")
    if account := found.spec.get("serviceAccountName"):
        assert accounts[account]["automountServiceAccountToken"] is False
    if found.is_a_service:
        assert account == f"{found.labels[NAME]}-account"


@EVERY_POD
def test_needs_are_said_and_limited(name: str, found: Pods) -> None:
    for container in found.containers:
        requests, limits = container["resources"]["requests"], container["resources"]["limits"]
        assert requests.keys() == {"cpu", "memory", "ephemeral-storage"}
        assert limits.keys() == {"memory", "ephemeral-storage"}  # no limit on the processor
        for kind in limits:
            assert _bytes(requests[kind]) <= _bytes(limits[kind])
    for volume in found.spec["volumes"]:
        assert "emptyDir" not in volume or "sizeLimit" in volume["emptyDir"]
    for container in found.spec["containers"]:
        written = [v["emptyDir"] for v in found.spec["volumes"] if "emptyDir" in v]
        on_disk = sum(_bytes(empty["sizeLimit"]) for empty in written if "medium" not in empty)
        assert on_disk <= _bytes(container["resources"]["limits"]["ephemeral-storage"])


@EVERY_POD
def test_what_runs_on_is_asked_in_three_ways(name: str, found: Pods) -> None:
    kinds = ("startupProbe", "livenessProbe", "readinessProbe")
    if not found.runs_on:
        assert not any(kind in container for kind in kinds for container in found.containers)
        return
    startup, live, ready = (found.program[kind] for kind in kinds)
    what = ("httpGet", "tcpSocket", "exec")
    if found.labels[NAME] != "clamav":  # its socket is all it has
        assert {k: live.get(k) for k in what} != {k: ready.get(k) for k in what}
    assert live["failureThreshold"] * live["periodSeconds"] >= 60
    assert startup["failureThreshold"] * startup["periodSeconds"] >= 60


@EVERY_POD
def test_variables_and_ports_are_named_once(name: str, found: Pods) -> None:
    for container in found.containers:
        variables = Counter(entry["name"] for entry in container.get("env", []))
        ports = Counter(port["name"] for port in container.get("ports", []))
        assert set((variables | ports).values()) <= {1}


@EVERY_POD
def test_what_is_mounted_is_there_and_what_is_there_is_mounted(name: str, found: Pods) -> None:
    volumes = {volume["name"] for volume in found.spec["volumes"]}
    claims = {c["metadata"]["name"] for c in found.owner["spec"].get("volumeClaimTemplates", [])}
    mounted = {mount["name"] for container in found.containers for mount in container["volumeMounts"]}
    assert mounted == volumes | claims
    configs = of_kind(name, "ConfigMap").keys() | {"legal-clock"}
    for volume in found.spec["volumes"]:
        assert "configMap" not in volume or volume["configMap"]["name"] in configs


@pytest.mark.parametrize("name", OVERLAYS)
def test_selectors_find_their_own_pods_and_no_others(name: str) -> None:
    everyone = pods(name)
    for found in everyone:
        if found.owner["kind"] != "Job":
            selector = found.owner["spec"]["selector"]
            assert [other.name for other in everyone if selects(selector, other.labels)] == [found.name]


@pytest.mark.parametrize("name", OVERLAYS)
def test_roles_of_a_service_are_never_taken_down_together(name: str) -> None:
    budgets = of_kind(name, "PodDisruptionBudget")
    for found in pods(name):
        if not (found.is_a_service and found.runs_on):
            continue
        budget = budgets[found.name]["spec"]
        assert budget["maxUnavailable"] == 1
        assert selects(budget["selector"], found.labels)
        assert sum(selects(budget["selector"], other.labels) for other in pods(name)) == 1
        assert found.owner["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
        keys = {spread["topologyKey"] for spread in found.spec["topologySpreadConstraints"]}
        assert keys == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
        for spread in found.spec["topologySpreadConstraints"]:
            assert selects(spread["labelSelector"], found.labels)
            assert spread["labelSelector"] == budget["selector"]
    assert len(budgets) == sum(found.is_a_service and found.runs_on for found in pods(name))


def test_in_production_there_are_two_of_each_at_least() -> None:
    scaled = {
        target["spec"]["scaleTargetRef"]["name"]: target
        for target in of_kind("prod", "HorizontalPodAutoscaler", "ScaledObject").values()
    }
    for found in pods("prod"):
        if found.is_a_service and found.runs_on:
            said = found.owner["spec"].get("replicas")
            assert (said is None) == (found.name in scaled)  # never decided twice
            assert found.name in scaled or said == 2


def test_in_development_there_is_one_of_each() -> None:
    for found in pods("dev"):
        assert not found.runs_on or found.owner["spec"].get("replicas", 1) == 1


def test_what_keeps_state_alone_is_not_doubled_while_it_changes() -> None:
    for name in OVERLAYS:
        for found in pods(name):
            alone = found.labels[NAME] in ("simulator", "mailbox", "synthetic")
            assert not alone or found.owner["spec"]["strategy"] == {"type": "Recreate"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_stateful_sets_have_a_service_and_keep_their_volumes(name: str) -> None:
    for found in of_kind(name, "StatefulSet").values():
        assert found["spec"]["serviceName"] in of_kind(name, "Service")
        assert found["spec"]["volumeClaimTemplates"]


def test_the_operators_pods_are_restricted_too() -> None:
    (broker,) = of_kind("prod", "RabbitmqCluster").values()
    pod: Object = broker["spec"]["override"]["statefulSet"]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }
    assert {c["name"] for c in pod["initContainers"]} == {"setup-container"}
    assert {c["name"] for c in pod["containers"]} == {"rabbitmq"}


def test_labels_are_those_that_are_recommended() -> None:
    for name in OVERLAYS:
        for found in pods(name):
            assert found.labels["app.kubernetes.io/part-of"] == "espace"
            assert found.labels.get(COMPONENT, "") in ("", "api", "worker", "migrate", "synthetic")


def _bytes(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(Ki|Mi|Gi)", quantity).groups()  # type: ignore[union-attr]
    return int(number) << 10 * (1 + ["Ki", "Mi", "Gi"].index(unit))
