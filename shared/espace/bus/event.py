"""Events and their envelope: CloudEvents 1.0, structured JSON."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from espace.clock import utcnow
from espace.errors import PermanentError

PREFIX = "be.espace."
CONTENT_TYPE = "application/cloudevents+json"


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact a service publishes, in the past tense.

    Attributes:
        type: ``be.espace.<noun>.<past participle>.v<n>``.
        subject: the aggregate's id (uuid).
        version: the aggregate's version after the fact, from 1; readers ignore what is not newer.
        data: JSON as the contract of the type fixes it; no personal data.
        id: the same fact published twice has the same id.
        time: technical time, aware.
    """

    type: str
    subject: str
    version: int
    data: Mapping[str, Any]
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    time: datetime = field(default_factory=utcnow)


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """An event as a consumer receives it."""

    id: uuid.UUID
    type: str
    source: str
    subject: str
    version: int
    time: datetime
    data: Mapping[str, Any]
    request_id: str | None = None
    traceparent: str | None = None


def routing_key(event_type: str) -> str:
    """The key an event type travels under: the type without its common prefix."""
    return event_type.removeprefix(PREFIX)


def rfc3339(instant: datetime) -> str:
    """An aware instant in UTC, as events carry it: ``2024-10-21T22:00:00Z``."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def envelope(
    event: Event, *, service: str, request_id: str | None = None, traceparent: str | None = None
) -> dict[str, Any]:
    """The CloudEvents document of ``event`` published by ``service``."""
    document: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(event.id),
        "source": f"/espace/{service}",
        "type": event.type,
        "subject": event.subject,
        "time": rfc3339(event.time),
        "datacontenttype": "application/json",
        "aggregateversion": event.version,
        "data": dict(event.data),
    }
    if request_id:
        document["requestid"] = request_id
    if traceparent:
        document["traceparent"] = traceparent
    return document


def encode(document: Mapping[str, Any]) -> bytes:
    """An envelope as bytes."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def decode(body: bytes | str) -> Incoming:
    """Read an envelope; attributes we do not know are ignored.

    Raises:
        PermanentError: it is not an event.
    """
    try:
        document = json.loads(body)
        if document["specversion"] != "1.0" or not isinstance(document["data"], dict):
            raise ValueError("not a CloudEvents 1.0 document with an object as data")
        return Incoming(
            id=uuid.UUID(document["id"]),
            type=str(document["type"]),
            source=str(document["source"]),
            subject=str(document["subject"]),
            version=int(document["aggregateversion"]),
            time=datetime.fromisoformat(document["time"]),
            data=document["data"],
            request_id=_word(document.get("requestid")),
            traceparent=_word(document.get("traceparent")),
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise PermanentError(f"not an event: {error!r}") from error


def _word(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("a tracing attribute is not a string")
    return value
