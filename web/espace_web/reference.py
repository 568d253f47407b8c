"""What the page of the APIs shows of an OpenAPI 3.1 document: operations, and the schemas they speak of."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

METHODS = ("get", "post", "put", "patch", "delete")
_SCHEMA = re.compile(r"#/components/schemas/(\w+)")
Json = Mapping[str, Any]


def describe(document: Json) -> dict[str, Any]:
    """The title, the operations in their order, and the fields of each schema that is spoken of."""
    paths: Json = document.get("paths") or {}
    components: Json = document.get("components") or {}
    schemas: Json = components.get("schemas") or {}
    spoken_of: set[str] = set()
    grown = set(_SCHEMA.findall(json.dumps([paths, components.get("responses")])))
    while grown - spoken_of:
        spoken_of |= grown
        grown = set(_SCHEMA.findall(json.dumps([schemas.get(name) for name in sorted(spoken_of)])))
    return {
        "title": (document.get("info") or {}).get("title", ""),
        "operations": [
            _operation(document, method, path, item)
            for path, item in paths.items()
            for method in METHODS
            if method in item
        ],
        "schemas": {name: _fields(schemas[name]) for name in sorted(spoken_of & schemas.keys())},
    }


def _operation(document: Json, method: str, path: str, item: Json) -> dict[str, Any]:
    operation = item[method]
    security = operation.get("security", document.get("security", []))
    parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
    return {
        "method": method.upper(),
        "path": path,
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "token": next((scheme for wanted in security for scheme in wanted), None),
        "parameters": [
            _field(each["name"], each.get("schema", {}), each.get("required", False), each)
            | {"place": each["in"]}
            for each in parameters
        ],
        "body": _content(operation.get("requestBody", {})),
        "answers": [
            {"status": status, **_answer(document, answer)}
            for status, answer in sorted(operation.get("responses", {}).items())
        ],
    }


def _answer(document: Json, answer: Json) -> dict[str, Any]:
    if "$ref" in answer:
        answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return {"description": answer.get("description", ""), "content": _content(answer)}


def _content(holder: Json) -> dict[str, Any] | None:
    """The first kind of content, its type, and its fields where the schema has no name of its own."""
    for media, content in holder.get("content", {}).items():
        schema = content.get("schema", {})
        return {"media": media, "fields": _fields(schema), **_type(schema)}
    return None


def _fields(schema: Json) -> list[dict[str, Any]]:
    required = schema.get("required", ())
    properties: Json = schema.get("properties", {})
    return [_field(name, each, name in required, each) for name, each in properties.items()]


def _field(name: str, schema: Json, required: bool, described: Json) -> dict[str, Any]:
    description = described.get("description") or ""
    return {"name": name, "required": required, "description": description, **_type(schema)}


def _type(schema: Json) -> dict[str, Any]:
    """``type`` in words, and ``schema``: the name of the one it speaks of."""
    found = _SCHEMA.search(json.dumps({**schema, "properties": None}))
    return {"type": _words(schema), "schema": found[1] if found else None}


def _words(schema: Json) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " | ".join(_words(each) for each in schema[key])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    kinds: str | Sequence[str] = schema.get("type", "any")
    words = kinds if isinstance(kinds, str) else " | ".join(kinds)
    if words == "array":
        return f"[{_words(schema.get('items', {}))}]"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"{{…: {_words(schema['additionalProperties'])}}}"
    return f"{words} ({schema['format']})" if "format" in schema else words
