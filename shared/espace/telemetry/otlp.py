"""Where spans go: by OTLP over HTTP, in batches, from a thread of its own. Imported only with tracing."""

import time
import uuid
from collections.abc import Sequence
from importlib import metadata

import httpx
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from espace.auth import tls
from espace.telemetry.logs import get_logger

log = get_logger()
QUEUE, BATCH, DELAY_MS = 2048, 512, 2000
TIMEOUT = httpx.Timeout(3.0, connect=1.0)
AWAY_SECONDS = 30.0


def provider(service: str, role: str, *, endpoint: str, ratio: float, environment: str) -> TracerProvider:
    """What makes this process's spans; see :func:`espace.telemetry.tracing.configure`."""
    made = TracerProvider(
        ParentBased(TraceIdRatioBased(ratio)),
        Resource.create(
            {
                "service.namespace": "espace",
                "service.name": service,
                "service.version": metadata.version("espace"),
                "service.instance.id": str(uuid.uuid4()),
                "deployment.environment.name": environment,
                "espace.role": role,
            }
        ),
        shutdown_on_exit=False,
    )
    made.add_span_processor(
        BatchSpanProcessor(
            Exporter(endpoint),
            max_queue_size=QUEUE,
            max_export_batch_size=BATCH,
            schedule_delay_millis=DELAY_MS,
        )
    )
    return made


class Exporter(SpanExporter):
    """Sends each batch once. One that is not taken is dropped, and so are those of the next half minute.

    So a receiver that is away costs nothing, and a program that ends waits for it a few seconds at most. The
    library's own exporter tries for as long as it may, batch after batch.
    """

    def __init__(self, endpoint: str) -> None:
        self._url = f"{endpoint.rstrip('/')}/v1/traces"
        self._http = httpx.Client(timeout=TIMEOUT, trust_env=False, verify=tls.context(endpoint))
        self._again = float("-inf")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send ``spans``."""
        if time.monotonic() < self._again:
            return SpanExportResult.FAILURE
        try:
            self._http.post(
                self._url,
                content=encode_spans(spans).SerializeToString(),
                headers={"Content-Type": "application/x-protobuf"},
            ).raise_for_status()
        except httpx.HTTPError as error:
            self._again = time.monotonic() + AWAY_SECONDS
            log.warning("tracing.interrupted", reason=_told(error), count=len(spans))
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """No more will come."""
        self._http.close()


def _told(error: httpx.HTTPError) -> str:
    return (
        f"status {error.response.status_code}"
        if isinstance(error, httpx.HTTPStatusError)
        else type(error).__name__
    )
