"""One trace from the click to the mail; what fires days later is another one, linked to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from espace.testing import until
from espace_stack.layout import programs
from espace_stack.legal import BRUSSELS, START
from espace_stack.testing.otlp import Receiver, SpanSeen, receiving
from espace_stack.testing.platform import Platform
from tests.e2e.app import App
from tests.e2e.canaries import found_in
from tests.e2e.claims import WITH_DRC, ready_claim
from tests.e2e.conftest import NewApp
from tests.e2e.counter import Counter

SERVER, CLIENT, PRODUCER, CONSUMER = 2, 3, 4, 5
CONFIRM = "/dossiers/<uuid:dossier_id>/verification"


@dataclass(frozen=True)
class Confirmed:
    """A deposit by the pages, and the trace that its mail names."""

    app: App
    dossier_id: str
    trace_id: str


@pytest.fixture(scope="module")
def receiver(_platform: Platform) -> Iterator[Receiver]:
    """Every program sends all its traces here."""
    with receiving() as found:
        for program in programs():
            _platform.stack.settings.extra[program.name] = {
                "ESPACE_OTLP_ENDPOINT": found.url,
                "ESPACE_TRACE_SAMPLE_RATIO": "1",
            }
        _platform.stack.start()
        yield found
        _platform.stack.settings.extra.clear()
        _platform.stack.start()


@pytest.fixture
def confirmed(platform: Platform, receiver: Receiver, new_app: NewApp) -> Confirmed:
    platform.legal.freeze(START)
    app = new_app()
    dossier = ready_claim(app, WITH_DRC)
    counter = Counter(platform).enter(app.person)
    page = f"/dossiers/{dossier['id']}/verification"
    counter.open(page).submit(to=page)
    assert counter.address.endswith("/recepisse")
    counter.http.close()
    number = app.dossier(dossier["id"])["number"]
    return Confirmed(app, dossier["id"], _trace_of_receipt(platform, app, number))


def test_one_trace_goes_from_the_click_to_the_mail(
    platform: Platform, receiver: Receiver, confirmed: Confirmed, tmp_path: Path
) -> None:
    trace = confirmed.trace_id
    until(
        lambda: f"the whole trace; {[(s.service, s.name) for s in receiver.spans(trace)]}",
        lambda: _mails(receiver.spans(trace)) and _whole(receiver.spans(trace)),
    )
    spans = receiver.spans(trace)
    by_id = {span.span_id: span for span in spans}
    (root,) = (span for span in spans if not span.parent)
    assert (root.service, root.kind, root.name) == ("web", SERVER, f"POST {CONFIRM}")

    sent = next(span for span in spans if span.name == "send receipt")
    way = [sent]
    while way[-1].parent:
        way.append(by_id[way[-1].parent])
    kinds = [(span.service, span.kind) for span in way if span.kind in (SERVER, CLIENT, PRODUCER, CONSUMER)]
    wanted = [
        ("notifier", CONSUMER),
        ("dossier", PRODUCER),
        ("dossier", SERVER),
        ("web", CLIENT),
        ("web", SERVER),
    ]
    assert [step for step in kinds if step in wanted] == wanted

    told = tmp_path / "spans.log"
    told.write_text("\n".join(map(str, receiver.spans())), encoding="utf-8")
    assert found_in(told) == []
    for span in spans:
        assert confirmed.dossier_id not in span.name
    for program in ("web", "dossier-api", "notifier-worker"):
        (log,) = (log for log in platform.logs() if log.stem == program)
        assert f'"trace_id": "{trace}"' in log.read_text(), program


def test_what_fires_days_later_is_linked_and_not_a_child(
    platform: Platform, receiver: Receiver, confirmed: Confirmed
) -> None:
    platform.settle()
    platform.legal.freeze(datetime(2024, 10, 17, 9, 0, tzinfo=BRUSSELS))
    linked = until(
        "a trace that is linked to the first",
        lambda: [span for span in receiver.spans() if confirmed.trace_id in span.links],
    )
    assert {span.trace_id for span in linked} & {confirmed.trace_id} == set()
    assert {span.service for span in linked} == {"scheduler"}
    later = linked[0].trace_id
    until("its mail", lambda: any(span.name.startswith("send ") for span in receiver.spans(later)))


def _trace_of_receipt(platform: Platform, app: App, number: str) -> str:
    """The trace that the receipt's header names."""

    def named() -> str | None:
        for message in platform.mail.messages(to=app.email):
            if number in (message.text or "") and message.headers.get("X-Trace-Id"):
                return message.headers["X-Trace-Id"]
        return None

    return until("the receipt", named)


def _mails(spans: list[SpanSeen]) -> bool:
    return any(span.name == "send receipt" for span in spans)


def _whole(spans: list[SpanSeen]) -> bool:
    ids = {span.span_id for span in spans}
    return all(span.parent in ids for span in spans if span.parent)
