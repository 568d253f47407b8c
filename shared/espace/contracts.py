"""The published event contracts: JSON Schemas, frozen examples, and the AsyncAPI document made of both.

``python -m espace.contracts`` writes ``shared/contracts/asyncapi.json`` anew.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from espace.bus import topology

FOLDER = Path(__file__).parents[1] / "contracts"
PREFIX = "be.espace."


@cache
def envelope() -> dict[str, Any]:
    """The JSON Schema of the CloudEvents envelope around every event."""
    return _read(FOLDER / "envelope.schema.json")


@cache
def schemas() -> dict[str, dict[str, Any]]:
    """Event type (``be.espace.….v1``) → JSON Schema of its ``data``."""
    suffix = ".schema.json"
    return {
        path.name.removesuffix(suffix): _read(path) for path in sorted((FOLDER / "events").glob(f"*{suffix}"))
    }


def examples(event_type: str) -> list[dict[str, Any]]:
    """The frozen examples of one type: whole envelopes, as they travel."""
    return [_read(path) for path in sorted((FOLDER / "examples" / event_type).glob("*.json"))]


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document of the event bus."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for event_type, schema in schemas().items():
        key, name = event_type.removeprefix(PREFIX), _name(event_type)
        examples_ = [{"payload": example} for example in examples(event_type)]
        messages[name] = {**_message(event_type, schema), "examples": examples_}
        channels[name] = {
            "address": key,
            "messages": {name: {"$ref": f"#/components/messages/{name}"}},
            "bindings": {
                "amqp": {"is": "routingKey", "exchange": {"name": topology.EVENTS, "type": "topic"}}
            },
        }
        operations[f"{schema['x-producer']}_publishes_{name}"] = _operation("send", name)
        for service, types in sorted(topology.SUBSCRIPTIONS.items()):
            if event_type in types:
                operations[f"{service}_consumes_{name}"] = _operation("receive", name)
    told = sorted(type_ for types in topology.OPEN.values() for type_ in types)
    messages |= {f"outside_{_name(type_)}": _told_outside(type_) for type_ in told}
    channels["outside"] = {
        "address": topology.outsider_queue("{administration}").name,
        "description": "What another administration is told: docs/integrators.md.",
        "parameters": {"administration": {"description": "The name under which it was let in."}},
        "messages": {
            f"outside_{_name(type_)}": {"$ref": f"#/components/messages/outside_{_name(type_)}"}
            for type_ in told
        },
        "bindings": {"amqp": {"is": "queue", "queue": {"durable": True, "exclusive": False}}},
    }
    operations["tell_outside"] = {"action": "send", "channel": {"$ref": "#/channels/outside"}}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Mon Espace: events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0, structured JSON, on one topic exchange. "
            "Readers ignore fields they do not know; events carry no personal data.",
            "license": {"name": "EUPL-1.2"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": {"schemas": {"envelope": _multi_format(envelope())}, "messages": messages},
    }


def _told_outside(event_type: str) -> dict[str, Any]:
    """The message outside: signed, and without what is ours alone."""
    schema = schemas()[event_type]
    data = {
        "type": "object",
        "required": [name for name in schema["required"] if name not in topology.OURS_ALONE],
        "properties": {
            name: field for name, field in schema["properties"].items() if name not in topology.OURS_ALONE
        },
    }
    signature = {"type": "string", "description": "JWS (ES256) of the body, detached."}
    headers = {"type": "object", "required": ["jws"], "properties": {"jws": signature}}
    return {**_message(event_type, data), "headers": headers}


def _message(event_type: str, data: dict[str, Any]) -> dict[str, Any]:
    """A message whose envelope holds ``data``, a schema."""
    payload = {
        "allOf": [
            {"$ref": "#/components/schemas/envelope/schema"},
            {"properties": {"type": {"const": event_type}, "data": data}},
        ]
    }
    return {
        "name": event_type,
        "title": schemas()[event_type]["description"],
        "contentType": "application/cloudevents+json",
        "payload": _multi_format(payload),
    }


def _name(event_type: str) -> str:
    return event_type.removeprefix(PREFIX).replace(".", "_")


def _multi_format(schema: dict[str, Any]) -> dict[str, Any]:
    """AsyncAPI's own dialect is older: say which one ours is."""
    return {"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": schema}


def _operation(action: str, name: str) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
    }


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


if __name__ == "__main__":
    (FOLDER / "asyncapi.json").write_text(
        json.dumps(asyncapi(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
