"""What is known about the work in hand: the request id and the trace it belongs to.

HTTP sets it from the gateway's ``X-Request-Id``, a consumer from the event it handles; logs, recorded
events and calls to other services read it. It lives in structlog's context variables, under
``request_id`` and ``traceparent``. Without tracing the ``traceparent`` that came is passed on unchanged;
with it, it is that of the span in hand (:mod:`espace.telemetry.tracing`).
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bind_contextvars, get_contextvars, reset_contextvars

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{8,128}", re.ASCII)
TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII
)
"""W3C Trace Context, version 00, as which later versions are read."""


def request_id() -> str | None:
    """The id of the request that caused the work in hand, if one did."""
    return get_contextvars().get("request_id")


def traceparent() -> str | None:
    """The W3C trace context of the work in hand, if any."""
    return get_contextvars().get("traceparent")


def trace_id() -> str | None:
    """The id of the trace that the work in hand belongs to, if any: 32 hexadecimal digits."""
    found = traceparent()
    return found[3:35] if found else None


def cause_headers() -> dict[str, str]:
    """The headers that carry the cause through a call inside the house; each one that does takes them."""
    headers = {"X-Request-Id": request_id(), "traceparent": traceparent()}
    return {name: value for name, value in headers.items() if value}


def set_cause(request_id: str | None, traceparent: str | None = None) -> str:
    """Make this the cause of everything that follows; what is malformed is replaced or dropped.

    Returns:
        The request id in force: the one given, or a new one.
    """
    known, trace = _cause(request_id, traceparent)
    bind_contextvars(request_id=known, traceparent=trace)
    return known


@contextmanager
def caused_by(request_id: str | None, traceparent: str | None = None) -> Iterator[str]:
    """:func:`set_cause` for the length of a block, as a consumer needs for each event."""
    known, trace = _cause(request_id, traceparent)
    tokens = bind_contextvars(request_id=known, traceparent=trace)
    try:
        yield known
    finally:
        reset_contextvars(**tokens)


def _cause(request_id: str | None, traceparent: str | None) -> tuple[str, str | None]:
    known = request_id if request_id and REQUEST_ID.fullmatch(request_id) else secrets.token_hex(16)
    return known, traceparent if traceparent and TRACEPARENT.fullmatch(traceparent) else None
