"""Schemas of the operators' own resources, cut down from the operators' own files.

``python -m tests.deploy.crds`` writes them again, with Go at hand; needed only to take a newer version.
Descriptions, states and what JSON Schema does not know are left out; what is not named is refused.
"""

import json
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parent / "schemas"
# A module of Go's proxy, the folder in it, its files and their kinds. Licences: Apache-2.0, but for
# rabbitmq (MPL-2.0) and traefik (MIT).
SOURCES = (
    ("github.com/cert-manager/cert-manager@v1.21.2", "deploy/crds/cert-manager.io_certificates.yaml"),
    (
        "github.com/cloudnative-pg/cloudnative-pg@v1.30.0",
        "config/crd/bases/postgresql.cnpg.io_clusters.yaml",
        "config/crd/bases/postgresql.cnpg.io_databases.yaml",
        "config/crd/bases/postgresql.cnpg.io_scheduledbackups.yaml",
    ),
    (
        "github.com/cloudnative-pg/plugin-barman-cloud@v0.15.0",
        "config/crd/bases/barmancloud.cnpg.io_objectstores.yaml",
    ),
    (
        "github.com/external-secrets/external-secrets@v1.3.2",
        "config/crds/bases/external-secrets.io_externalsecrets.yaml",
    ),
    (
        "github.com/kedacore/keda/v2@v2.21.0",
        "config/crd/bases/keda.sh_scaledobjects.yaml",
        "config/crd/bases/keda.sh_triggerauthentications.yaml",
    ),
    (
        "github.com/prometheus-operator/prometheus-operator@v0.85.0",
        "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml",
        "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml",
    ),
    (
        "github.com/rabbitmq/cluster-operator/v2@v2.16.0",
        "config/crd/bases/rabbitmq.com_rabbitmqclusters.yaml",
    ),
    (
        "github.com/traefik/traefik/v3@v3.7.13",
        "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml",
    ),
    (
        "sigs.k8s.io/gateway-api@v1.6.3",
        "config/crd/standard/gateway.networking.k8s.io_gateways.yaml",
        "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
    ),
)
UNUSED = frozenset(
    {
        *("IngressRoute", "IngressRouteTCP", "IngressRouteUDP", "MiddlewareTCP", "ServersTransportTCP"),
        *("TLSOption", "TLSStore"),
    }
)


@cache
def validator(api_version: str, kind: str) -> Draft202012Validator:
    """The schema of one kind.

    Raises:
        FileNotFoundError: there is none.
    """
    file = FOLDER / f"{api_version.replace('/', '_')}_{kind}.json"
    return Draft202012Validator(json.loads(file.read_text()))


def with_defaults(content: dict[str, Any]) -> Any:
    """An object as the API server keeps it: what it does not say has the schema's own word."""
    return _filled(content, validator(content["apiVersion"], content["kind"]).schema)


def write() -> None:
    """Fetch and cut all of them."""
    for module, *files in SOURCES:
        for file in files:
            for definition in yaml.safe_load_all(Path(_folder(module), file).read_text()):
                if definition and definition["spec"]["names"]["kind"] not in UNUSED:
                    _write(module, definition["spec"])


def _filled(value: Any, schema: Any) -> Any:
    if isinstance(value, list):
        return [_filled(entry, schema.get("items", {})) for entry in value]
    if not isinstance(value, dict):
        return value
    known = schema.get("properties", {})
    defaults = {name: inner["default"] for name, inner in known.items() if "default" in inner}
    return {name: _filled(inner, known.get(name, {})) for name, inner in {**defaults, **value}.items()}


def _write(module: str, spec: dict[str, Any]) -> None:
    (version,) = (version for version in spec["versions"] if version["storage"])
    cut = _cut(version["schema"]["openAPIV3Schema"])
    cut["properties"].pop("status", None)
    cut["properties"]["metadata"] = {"type": "object"}
    name = f"{spec['group']}_{version['name']}_{spec['names']['kind']}.json"
    text = json.dumps({"$comment": module, **cut}, separators=(",", ":"))
    (FOLDER / name).write_text(text.replace('},"', '},\n"') + "\n")


def _folder(module: str) -> str:
    with tempfile.TemporaryDirectory() as empty:
        command = ["go", "mod", "download", "-json", module]
        said = subprocess.run(command, cwd=empty, capture_output=True, text=True, check=False)
    return str(json.loads(said.stdout)["Dir"])


def _cut(schema: Any) -> Any:
    """A schema of Kubernetes as JSON Schema, strict."""
    if isinstance(schema, list):
        return [_cut(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        pattern = {"pattern": schema["pattern"]} if "pattern" in schema else {}
        return {"type": ["integer", "string"], **pattern}
    kept = {
        key: {name: _cut(value) for name, value in content.items()} if key == "properties" else _cut(content)
        for key, content in schema.items()
        if key not in ("description", "example", "format", "nullable") and not key.startswith("x-")
    }
    if "properties" in kept and not schema.get("x-kubernetes-preserve-unknown-fields"):
        kept.setdefault("additionalProperties", False)
    return kept


if __name__ == "__main__":
    write()
    sys.stdout.write(f"written to {FOLDER}\n")
