"""What the programs tell about themselves: logs, metrics, traces, and the ids that tie them together."""

from espace.telemetry.context import cause_headers, caused_by, request_id, set_cause, trace_id, traceparent
from espace.telemetry.logs import configure_logging, get_logger

__all__ = [
    "cause_headers",
    "caused_by",
    "configure_logging",
    "get_logger",
    "request_id",
    "set_cause",
    "trace_id",
    "traceparent",
]
