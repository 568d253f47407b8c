"""Tracing: off without an address, harmless with one that nobody answers, and as the starter decided."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from espace.telemetry import tracing
from espace_stack.ports import free_port
from espace_stack.testing.otlp import Receiver, receiving

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        tracing.configure("kit", "api", endpoint=found.url, ratio=1, environment="test")
        yield found
        tracing.close()


@pytest.fixture
def off() -> Iterator[None]:
    tracing.close()
    yield
    tracing.close()


def test_without_an_address_nothing_of_opentelemetry_is_imported() -> None:
    code = (
        "import sys; import espace.program, espace.http.app, espace.bus.relay, espace.bus.handling;"
        "from espace.telemetry import tracing;"
        "tracing.configure('kit', 'api', endpoint=None, ratio=1, environment='test');"
        "tracing.span('work', 'server').end();"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_an_address_what_came_is_handed_on(off: None) -> None:
    assert tracing.span("work", "server", parent=SAMPLED).traceparent == SAMPLED


def test_a_receiver_that_is_away_costs_the_spans_and_one_line(off: None) -> None:
    tracing.configure("kit", "api", endpoint=f"http://127.0.0.1:{free_port()}", ratio=1, environment="test")
    for _ in range(3):
        tracing.span("work", "server").end()
    with capture_logs() as logs:
        tracing.close()
    assert [(entry["event"], entry["count"]) for entry in logs] == [("tracing.interrupted", 3)]


def test_who_started_a_trace_has_decided(receiver: Receiver) -> None:
    assert tracing.span("no", "server", parent=UNSAMPLED).traceparent == UNSAMPLED
    with tracing.span("yes", "server", parent=SAMPLED) as outer, tracing.span("inner"):
        pass
    assert outer.traceparent
    tracing.close()
    spans = {span.name: span for span in receiver.spans()}
    assert spans.keys() == {"yes", "inner"}
    assert {span.trace_id for span in spans.values()} == {SAMPLED.split("-")[1]}
    assert spans["yes"].parent == SAMPLED.split("-")[2]
    assert spans["inner"].parent == spans["yes"].span_id


def test_what_was_caused_long_ago_has_a_trace_of_its_own(receiver: Receiver) -> None:
    tracing.publishing("espace", "key", "id", parent=None, linked_to=SAMPLED).end()
    tracing.close()
    (span,) = receiver.spans()
    assert span.links == (SAMPLED.split("-")[1],)
    assert span.trace_id != SAMPLED.split("-")[1]
    assert not span.parent


def test_a_loops_own_work_starts_no_trace(receiver: Receiver) -> None:
    tracing.transaction().end()
    tracing.close()
    assert receiver.spans() == []
