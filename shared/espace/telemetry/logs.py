"""JSON lines on standard output, one per event, with the ids of request and trace and without personal data.

``shared/contracts/log.schema.json`` describes a line.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from espace.telemetry.catalogue import EVENTS
from espace.telemetry.failures import render, tell

REDACTED = "[redacted]"
SECRET_KEYS = frozenset(
    {
        "access_token",
        "address",
        "authorization",
        "birthdate",
        "client_secret",
        "code",
        "cookie",
        "email",
        "family_name",
        "given_name",
        "id_token",
        "link",
        "national_number",
        "password",
        "phone",
        "private_email",
        "refresh_token",
        "secret",
        "set-cookie",
        "token",
    }
)
# An e-mail address, a national number, a JWT or a signed query: what slips in with the text of an error.
_SECRET_TEXT = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?<![\w-])\d{2}\.?\d{2}\.?\d{2}[- ]?\d{3}[. ]?\d{2}(?![\w-])"
    r"|eyJ[\w-]{8,}\.[\w-]*\.[\w-]*"
    r"|(?<=X-Amz-Signature=)[0-9a-f]+"
)


class UnknownEventError(Exception):
    """A log event whose name is not in the catalogue."""


def get_logger(**bound: Any) -> FilteringBoundLogger:
    """The logger; the first argument of its methods is a name of the catalogue."""
    logger: FilteringBoundLogger = structlog.get_logger(**bound)
    return logger


def configure_logging(service: str, role: str, *, level: str = "INFO", strict: bool = False) -> None:
    """Send the program's logs and its libraries' to standard output as JSON.

    Args:
        strict: an event name that is not in the catalogue raises instead of being marked.
    """
    structlog.configure(
        processors=[*_processors(service, role, strict=strict), structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=not strict,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_from_library, *_processors(service, role, strict=False)],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace secrets and personal data, by the name of their field or by their look."""
    return {key: _clean(key, value) for key, value in event.items()}


def _clean(key: str, value: Any) -> Any:
    if key.lower() in SECRET_KEYS:
        return REDACTED
    if isinstance(value, str):
        return _SECRET_TEXT.sub(REDACTED, value)
    if isinstance(value, Mapping):
        return {str(k): _clean(str(k), v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(key, v) for v in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _SECRET_TEXT.sub(REDACTED, tell(value) if isinstance(value, BaseException) else str(value))


def check_name(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Refuse an event that is not in the catalogue."""
    if event["event"] not in EVENTS:
        raise UnknownEventError(f"{event['event']!r} is not in espace.telemetry.catalogue")
    return event


def _processors(service: str, role: str, *, strict: bool) -> list[Processor]:
    def stamp(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"], event["role"] = service, role
        if traceparent := event.pop("traceparent", None):
            _, event["trace_id"], event["span_id"], _ = traceparent.split("-")
        return event

    return [
        *([check_name] if strict else []),
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.ExceptionRenderer(render),
        stamp,
        redact,
    ]


def _from_library(
    _logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    record = event.get("_record")
    event["message"] = event["event"]
    event["event"] = "library.message"
    event["logger"] = record.name if record else "unknown"
    return event
