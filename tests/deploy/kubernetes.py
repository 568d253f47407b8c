"""deploy/k8s as it is applied: rendered by Kustomize, looked at object by object."""

import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from tests.deploy.compose import ROOT

KUSTOMIZE = ROOT / ".tools" / "bin" / "kustomize"
FOLDER = ROOT / "deploy" / "k8s"
OVERLAYS = ("dev", "prod")
NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"
WITH_PODS = ("Deployment", "StatefulSet", "Job")
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

Object = dict[str, Any]


@cache
def overlay(name: str) -> tuple[Object, ...]:
    """All objects of one overlay.

    Raises:
        FileNotFoundError: Kustomize is missing: ``python3 stack/bootstrap.py --tests`` builds it.
    """
    command = [str(KUSTOMIZE), "build", str(FOLDER / "overlays" / name)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return tuple(yaml.load_all(made.stdout, Loader=yaml.CSafeLoader))


def of_kind(name: str, *kinds: str) -> dict[str, Object]:
    """The objects of some kinds in an overlay, by their names."""
    return {content["metadata"]["name"]: content for content in overlay(name) if content["kind"] in kinds}


@dataclass(frozen=True)
class Pods:
    """The pods that one Deployment, StatefulSet or Job makes."""

    owner: Object

    @property
    def name(self) -> str:
        """The owner's name."""
        return str(self.owner["metadata"]["name"])

    @property
    def labels(self) -> Mapping[str, str]:
        """What selectors see."""
        found: dict[str, str] = self.owner["spec"]["template"]["metadata"]["labels"]
        return found

    @property
    def spec(self) -> Object:
        """The pod's own."""
        found: Object = self.owner["spec"]["template"]["spec"]
        return found

    @property
    def containers(self) -> list[Object]:
        """All of them, in the order in which they start."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def runs_on(self) -> bool:
        """Whether it does not end by itself."""
        return bool(self.owner["kind"] != "Job")

    @property
    def program(self) -> Object:
        """The container that does the work."""
        (found,) = self.spec["containers"]
        return dict(found)

    @property
    def is_ours(self) -> bool:
        """Whether it runs one of our images."""
        return str(self.program["image"]).startswith("espace/")

    @property
    def is_a_service(self) -> bool:
        """Whether it is one of the seven programs, in some role."""
        return self.labels.get(COMPONENT) in ("api", "worker", "migrate")

    @property
    def secrets(self) -> list[str]:
        """The names of the Secrets it mounts."""
        volumes = self.spec.get("volumes", [])
        return [volume["secret"]["secretName"] for volume in volumes if "secret" in volume]


def pods(name: str) -> list[Pods]:
    """Whatever an overlay runs by itself; operators run more."""
    return [Pods(content) for content in of_kind(name, *WITH_PODS).values()]


def environment(name: str, container: Object) -> dict[str, str]:
    """What a container's process is given, its ConfigMaps looked up."""
    configs = of_kind(name, "ConfigMap")
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= configs[source["configMapRef"]["name"]]["data"]
    for entry in container.get("env", []):
        reference = entry.get("valueFrom", {}).get("configMapKeyRef")
        found[entry["name"]] = (
            configs[reference["name"]]["data"][reference["key"]] if reference else entry["value"]
        )
    return found


def selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether a label selector takes something with these labels; an empty one takes all."""
    equal = all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return equal and all(_fits(rule, labels) for rule in selector.get("matchExpressions") or ())


def walk(value: Any) -> Iterator[Any]:
    """Every value in an object, at any depth."""
    yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for entry in inner:
        yield from walk(entry)


def _fits(rule: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    assert rule["operator"] == "In", "no other operator is used"
    return labels.get(rule["key"]) in rule["values"]
