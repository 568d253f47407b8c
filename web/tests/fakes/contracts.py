"""What the services say of themselves in ``openapi.json``: the stand-in may ask and answer nothing else."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator

SERVICES = Path(__file__).parents[3] / "services"
# Their fields may be absent; of every other answer all fields are there.
SPARSE = frozenset({"Problem", "Notices", "PaginationMetadata"})


def check(service: str, request: httpx.Request, answer: httpx.Response) -> None:
    """Hold a call and its answer against the service's description.

    Raises:
        AssertionError: such a call or answer does not exist.
    """
    document = _document(service)
    operation = _operation(document, request)
    declared = {(one["in"], one["name"]): one for one in operation.get("parameters", [])}
    unknown = [name for name in request.url.params if ("query", name) not in declared]
    assert not unknown, f"{request.method} {request.url.path} takes no {unknown}"
    for (place, name), parameter in declared.items():
        if parameter.get("required") and place == "header":
            assert name in request.headers, f"{request.method} {request.url.path} wants {name}"
    if answer.status_code >= 400:
        _validate(document, {"$ref": "#/components/schemas/Problem"}, answer.json(), "problem")
        return
    if "requestBody" in operation:
        sent = operation["requestBody"]["content"]["application/json"]["schema"]
        _validate(document, sent, json.loads(request.content), f"sent to {request.url.path}")
    told = operation["responses"].get(str(answer.status_code))
    assert told, f"{request.method} {request.url.path} does not answer {answer.status_code}"
    kind, content = next(iter(told["content"].items()))
    assert answer.headers["Content-Type"].startswith(kind), f"{request.url.path} answers {kind}"
    if kind == "application/json":
        _validate(document, content["schema"], answer.json(), f"answer of {request.url.path}")


def kept(service: str) -> dict[str, Any]:
    """The description in the repository."""
    folder = "deadline-scheduler" if service == "scheduler" else service
    document: dict[str, Any] = json.loads((SERVICES / folder / "openapi.json").read_text("utf-8"))
    return document


@cache
def _document(service: str) -> dict[str, Any]:
    document = kept(service)
    for name, schema in document["components"]["schemas"].items():
        if name not in SPARSE:
            schema.setdefault("required", list(schema["properties"]))
    return document


def _operation(document: dict[str, Any], request: httpx.Request) -> dict[str, Any]:
    for template, item in document["paths"].items():
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, request.url.path) and request.method.lower() in item:
            operation: dict[str, Any] = item[request.method.lower()]
            return {
                **operation,
                "parameters": [*item.get("parameters", []), *operation.get("parameters", [])],
            }
    raise AssertionError(f"there is no {request.method} {request.url.path}")


def _validate(document: dict[str, Any], schema: dict[str, Any], value: Any, what: str) -> None:
    root = {**schema, "components": document["components"]}
    faults = Draft202012Validator(root, format_checker=Draft202012Validator.FORMAT_CHECKER).iter_errors(value)
    told = [f"{'.'.join(map(str, fault.absolute_path))}: {fault.message[:200]}" for fault in faults]
    assert not told, f"{what}: {'; '.join(told)}"
