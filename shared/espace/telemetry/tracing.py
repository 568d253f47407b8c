"""Spans of OpenTelemetry, where an OTLP address is set.

Where none is, nothing of OpenTelemetry is imported and a ``traceparent`` passes through as it came. Where one
is, whoever starts a trace (web, mostly) decides whether it is sampled; of the others nothing is recorded
anywhere, but their ids are in the logs. Attributes have the names of the semantic conventions and hold ids
and route templates: no path, no parameter, no text of an error.
"""

from collections.abc import Mapping
from contextvars import Token
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from structlog.contextvars import bind_contextvars, reset_contextvars

from espace.telemetry.context import traceparent

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as Recorded
    from opentelemetry.trace import SpanContext, Tracer

Kind = Literal["server", "client", "producer", "consumer", "internal"]
Attributes = Mapping[str, str | int]
_ROOTS = frozenset({"server", "producer", "consumer"})
"""What may start a trace. Calls and inner work outside of one are a loop's own, and nobody's journey."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_provider: "TracerProvider | None" = None
_tracer: "Tracer | None" = None


class Span:
    """A piece of work, recorded or not. As a context manager it is the work in hand for the block.

    Attributes:
        traceparent: what is handed on to whatever follows from it.
    """

    __slots__ = ("_recorded", "_tokens", "traceparent")

    def __init__(self, traceparent: str | None, recorded: "Recorded | None" = None) -> None:
        self.traceparent = traceparent
        self._recorded = recorded
        self._tokens: Mapping[str, Token[Any]] = {}

    def activate(self) -> "Span":
        """Make it the work in hand, until something else is."""
        bind_contextvars(traceparent=self.traceparent)
        return self

    def fail(self, error_type: str) -> None:
        """It did not succeed; ``error_type`` is a name or a status."""
        if self._recorded is not None:
            from opentelemetry.trace import StatusCode

            self._recorded.set_attribute("error.type", error_type)
            self._recorded.set_status(StatusCode.ERROR)

    def answered(self, status: int, *, fails_from: int = 500) -> None:
        """An HTTP answer of ``status`` came of it."""
        if self._recorded is not None:
            self._recorded.set_attribute("http.response.status_code", status)
            if status >= fails_from:
                self.fail(str(status))

    def end(self) -> None:
        """It is over."""
        if self._recorded is not None:
            self._recorded.end()

    def __enter__(self) -> "Span":
        self._tokens = bind_contextvars(traceparent=self.traceparent)
        return self

    def __exit__(self, *_failure: object) -> None:
        reset_contextvars(**self._tokens)
        self.end()


def configure(service: str, role: str, *, endpoint: str | None, ratio: float, environment: str) -> None:
    """Record what this process does, if there is somewhere to send it.

    Args:
        endpoint: base address of a receiver of OTLP over HTTP (``http://collector:4318``).
        ratio: which part of the traces that start here is sampled, from 0 to 1.
    """
    global _provider, _tracer
    close()
    if endpoint:
        from espace.telemetry import otlp

        _provider = otlp.provider(service, role, endpoint=endpoint, ratio=ratio, environment=environment)
        _tracer = _provider.get_tracer("espace")
        # Unlike atexit's, it is also called at the end of granian's child.
        Finalize(None, close, exitpriority=0)


def close() -> None:
    """Deliver what was recorded, which takes seconds at most, and record no more."""
    global _provider, _tracer
    if _provider is not None:
        _provider.shutdown()
    _provider = _tracer = None


def span(
    name: str,
    kind: Kind = "internal",
    attributes: Attributes | None = None,
    *,
    parent: str | None = None,
    linked_to: str | None = None,
) -> Span:
    """Begin a piece of work.

    Args:
        parent: what it is part of; by default the work in hand.
        linked_to: what caused it long ago; it starts a trace of its own then.
    """
    parent = None if linked_to else parent or traceparent()
    if _tracer is None:
        return Span(parent or linked_to)
    if parent is None and kind not in _ROOTS:
        return Span(None)
    if parent is not None and not _sampled(parent):
        return Span(parent)
    return _begin(_tracer, name, kind, attributes, parent, linked_to)


def serving(method: str, route: str | None) -> Span:
    """A request that came in."""
    method = method if method in _METHODS else "_OTHER"
    known = {"http.route": route} if route else {}
    return span(f"{method} {route or ''}".rstrip(), "server", {"http.request.method": method, **known})


def calling(method: str, url: str, peer: str) -> Span:
    """A call to the service ``peer``, whose address ``url`` begins with."""
    there = urlsplit(url)
    return span(
        method,
        "client",
        {
            "http.request.method": method,
            "server.address": there.hostname or "",
            "server.port": there.port or (443 if there.scheme == "https" else 80),
            "service.peer.name": peer,
        },
    )


def transaction() -> Span:
    """A transaction of the program's own database, whatever becomes of it."""
    return span("transaction", "client", {"db.system.name": "postgresql"})


def publishing(
    exchange: str, key: str, message_id: str, *, parent: str | None, linked_to: str | None
) -> Span:
    """A message that is published, until the broker has it."""
    attributes = _message("send", "publish", exchange, key, message_id)
    return span(f"publish {key}", "producer", attributes, parent=parent, linked_to=linked_to)


def processing(exchange: str, key: str, message_id: str) -> Span:
    """A message that is handled."""
    return span(f"process {key}", "consumer", _message("process", "process", exchange, key, message_id))


def _message(kind: str, operation: str, exchange: str, key: str, message_id: str) -> Attributes:
    return {
        "messaging.system": "rabbitmq",
        "messaging.operation.type": kind,
        "messaging.operation.name": operation,
        "messaging.destination.name": exchange,
        "messaging.rabbitmq.destination.routing_key": key,
        "messaging.message.id": message_id,
    }


def _begin(
    tracer: "Tracer",
    name: str,
    kind: Kind,
    attributes: Attributes | None,
    parent: str | None,
    linked_to: str | None,
) -> Span:
    from opentelemetry import trace
    from opentelemetry.context import Context

    context = Context()
    if parent:
        context = trace.set_span_in_context(trace.NonRecordingSpan(_read(parent)), context)
    recorded = tracer.start_span(
        name,
        context,
        trace.SpanKind[kind.upper()],
        attributes,
        [trace.Link(_read(linked_to))] if linked_to else None,
    )
    at = recorded.get_span_context()
    written = f"00-{at.trace_id:032x}-{at.span_id:016x}-{at.trace_flags:02x}"
    return Span(written, recorded if recorded.is_recording() else None)


def _read(written: str) -> "SpanContext":
    from opentelemetry.trace import SpanContext, TraceFlags

    _, trace_id, span_id, flags = written.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), True, TraceFlags(int(flags, 16)))


def _sampled(written: str) -> bool:
    return bool(int(written[-2:], 16) & 1)
