"""What is known about the work in hand: the request id and the trace it belongs to.

HTTP sets it from the gateway's ``X-Request-Id``, a consumer from the event it handles; logs, recorded
events and calls to other services read it.
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{8,128}", re.ASCII)
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", re.ASCII)

_request_id: ContextVar[str | None] = ContextVar("espace_request_id", default=None)
_traceparent: ContextVar[str | None] = ContextVar("espace_traceparent", default=None)


def request_id() -> str | None:
    """The id of the request that caused the work in hand, if one did."""
    return _request_id.get()


def traceparent() -> str | None:
    """The W3C trace context of the work in hand, if any."""
    return _traceparent.get()


def set_cause(request_id: str | None, traceparent: str | None = None) -> str:
    """Make this the cause of everything that follows; what is malformed is replaced or dropped.

    Returns:
        The request id in force: the one given, or a new one.
    """
    safe = request_id if request_id and REQUEST_ID.fullmatch(request_id) else secrets.token_hex(16)
    _request_id.set(safe)
    _traceparent.set(traceparent if traceparent and TRACEPARENT.fullmatch(traceparent) else None)
    return safe


@contextmanager
def caused_by(request_id: str | None, traceparent: str | None = None) -> Iterator[str]:
    """:func:`set_cause` for the length of a block, as a consumer needs for each event."""
    before = _request_id.get(), _traceparent.get()
    try:
        yield set_cause(request_id, traceparent)
    finally:
        _request_id.set(before[0])
        _traceparent.set(before[1])
