"""Everything that is rendered is what Kubernetes and the operators take, by their own schemas, strictly."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import kubernetes_validate
import pytest
import yaml
from kubernetes_validate import utils

from tests.deploy.crds import validator
from tests.deploy.kubernetes import FOLDER, KUSTOMIZE, OVERLAYS, Object, overlay

OLDEST, NEWEST = "1.34", kubernetes_validate.latest_version()
"""preStop's sleep and PodDisruptionBudget's eviction policy are stable from the oldest one on."""


@pytest.fixture(scope="module", autouse=True)
def schemas_are_read_once() -> Iterator[None]:
    """The library reads 2 MB for each object."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "schema_contents", cache(utils.schema_contents))
        yield


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("name", OVERLAYS)
def test_objects_of_kubernetes_are_what_it_takes(name: str, version: str) -> None:
    found = [content for content in overlay(name) if not _is_foreign(content)]
    assert found
    for content in found:
        try:
            kubernetes_validate.validate(content, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            pytest.fail(f"{_named(content)}: {'.'.join(map(str, error.path))}: {error.message}")


@pytest.mark.parametrize("name", OVERLAYS)
def test_objects_of_operators_are_what_they_take(name: str) -> None:
    for content in filter(_is_foreign, overlay(name)):
        for error in validator(content["apiVersion"], content["kind"]).iter_errors(content):
            pytest.fail(f"{_named(content)}: {error.json_path}: {error.message}")


def test_schemas_refuse_what_they_do_not_know() -> None:
    route = next(content for content in overlay("prod") if content["kind"] == "HTTPRoute")
    wrong = {**route, "spec": {**route["spec"], "hostname": "one.example"}}
    assert not validator(route["apiVersion"], "HTTPRoute").is_valid(wrong)


def test_development_needs_no_operator() -> None:
    assert not any(map(_is_foreign, overlay("dev")))


@pytest.mark.parametrize("name", OVERLAYS)
def test_names_are_there_once(name: str) -> None:
    named = [(c["apiVersion"].partition("/")[0], c["kind"], c["metadata"]["name"]) for c in overlay(name)]
    assert len(named) == len(set(named))


@pytest.mark.parametrize("name", OVERLAYS)
def test_all_is_in_one_namespace_that_restricts_its_pods(name: str) -> None:
    for content in overlay(name):
        if content["kind"] == "Namespace":
            assert content["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
            assert content["metadata"]["name"] == "espace"
        else:
            assert content["metadata"]["namespace"] == "espace", _named(content)


def test_every_file_is_used() -> None:
    """What Kustomize does not read is not applied."""
    for folder in {file.parent for file in FOLDER.rglob("kustomization.yaml")}:
        listed: dict[str, Any] = yaml.safe_load((folder / "kustomization.yaml").read_text())
        generated = [
            entry for made in listed.get("configMapGenerator", []) for entry in made.get("files", [])
        ]
        named = {*listed.get("resources", []), *generated, "kustomization.yaml"}
        for file in folder.iterdir():
            assert file.is_dir() or file.name in named or file.suffix == ".md", file


def test_kustomize_is_the_one_that_the_set_up_builds() -> None:
    assert KUSTOMIZE.exists(), "python3 stack/bootstrap.py --tests builds it"


def _is_foreign(content: Object) -> bool:
    api = content["apiVersion"]
    return not (api in ("v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2") or _is_k8s(api))


def _is_k8s(api: str) -> bool:
    return api.split("/")[0] in ("networking.k8s.io", "rbac.authorization.k8s.io")


def _named(content: Object) -> str:
    return f"{content['kind']} {content['metadata']['name']}"
