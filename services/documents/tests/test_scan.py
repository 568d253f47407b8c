"""The malware scan: it says clean or infected, is asked again, and never holds anything up."""

import socketserver
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from jsonschema import validate
from prometheus_client import REGISTRY
from sqlalchemy import text

from documents_service.commands.scan import scan_next
from documents_service.commands.sweep import sweep_uploads
from documents_service.model.document import Document
from documents_service.scanner import TOO_LONG, Scanner, ScannerDown
from documents_service.watching import watching
from espace.clock import utcnow
from espace.contracts import schemas
from services.documents.tests import samples
from services.documents.tests.conftest import Service, send

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR" + rb"-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
LIMIT = 100_000


class _Conversation(socketserver.StreamRequestHandler):
    """INSTREAM and PING, as clamd speaks them."""

    def handle(self) -> None:
        command = self.rfile.read(6)
        if command == b"zPING\0":
            self.wfile.write(b"PONG\0")
            return
        if command + self.rfile.read(4) != b"zINSTREAM\0":
            self.wfile.write(b"UNKNOWN COMMAND\0")
            return
        received = b""
        while length := int.from_bytes(self.rfile.read(4), "big"):
            received += self.rfile.read(length)
            if len(received) > LIMIT:
                self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
        self.server.seen.append(received)  # type: ignore[attr-defined]
        self.wfile.write(b"stream: Eicar-Signature FOUND\0" if EICAR in received else b"stream: OK\0")


class Clamd(socketserver.ThreadingTCPServer):
    """A stand-in for clamd on a real socket."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.seen: list[bytes] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def clamd() -> Iterator[Clamd]:
    with Clamd() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def scanned(make_service: Callable[..., Service], clamd: Clamd) -> Service:
    return make_service(clamd_address=clamd.address)


def uploaded(service: Service, content: bytes) -> str:
    document_id = service.upload(content)
    answer = service.complete(document_id)
    assert answer.get_json()["document"]["scan"] == "pending"
    return document_id


def code(service: Service, document_id: str) -> Any:
    return service.get(f"/documents/{document_id}/download").get_json().get("code")


def events(service: Service) -> list[Any]:
    with service.database.session() as session:
        found = session.execute(text("SELECT type, version, data FROM event_log ORDER BY position")).all()
    for event in found:
        validate(event.data, schemas()[event.type])
    return [(event.version, event.data["outcome"], event.data["signature"]) for event in found]


def test_clean_document_is_served_once_it_is_scanned(scanned: Service, clamd: Clamd) -> None:
    document_id = uploaded(scanned, samples.pdf())
    assert code(scanned, document_id) == "scan_pending"
    assert scanned.get(f"/documents/{document_id}/download").status_code == 409
    assert events(scanned) == []
    assert scan_next(scanned.desk)
    assert not scan_next(scanned.desk)
    assert clamd.seen == [samples.pdf()]
    assert scanned.get(f"/documents/{document_id}/download").status_code == 200
    assert events(scanned) == [(1, "clean", None)]


def test_infected_document_is_never_served(scanned: Service) -> None:
    document_id = uploaded(scanned, samples.pdf().replace(b"%%EOF", b"% " + EICAR + b"\n%%EOF"))
    assert scan_next(scanned.desk)
    answer = scanned.get(f"/documents/{document_id}/download")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "infected")
    assert events(scanned) == [(1, "infected", "Eicar-Signature")]


def test_file_longer_than_the_scanner_takes_is_not_passed(scanned: Service) -> None:
    body = b"% " + b"x" * (3 * LIMIT)
    document_id = uploaded(scanned, samples.pdf().replace(b"%%EOF", body + b"\n%%EOF"))
    assert scan_next(scanned.desk)
    assert code(scanned, document_id) == "infected"
    assert events(scanned) == [(1, "infected", TOO_LONG)]


def test_scanner_that_is_down_is_asked_again_and_holds_nothing_up(
    make_service: Callable[..., Service], clamd: Clamd
) -> None:
    down = make_service(clamd_address="127.0.0.1:9")
    document_id = uploaded(down, samples.pdf())
    assert not scan_next(down.desk)
    assert code(down, document_id) == "scan_pending"
    assert events(down) == []
    with down.database.session() as session:
        due = session.get_one(Document, uuid.UUID(document_id)).scan_due_at
    assert due is not None
    assert utcnow() < due < utcnow() + timedelta(seconds=61)
    up = down.with_settings(clamd_address=clamd.address)
    assert not scan_next(up.desk), "not before its time"
    make_due(up)
    assert scan_next(up.desk)
    assert code(up, document_id) is None


def test_lease_of_a_killed_worker_runs_out(scanned: Service) -> None:
    from documents_service.commands import scan

    document_id = uploaded(scanned, samples.pdf())
    assert scan._take(scanned.desk) is not None
    assert not scan_next(scanned.desk), "another one has it"
    make_due(scanned)
    assert scan_next(scanned.desk)
    assert code(scanned, document_id) is None


@pytest.mark.parametrize("completed_by", ["citizen", "sweeper"])
def test_scan_is_told_under_the_request_that_brought_the_document(
    scanned: Service, completed_by: str
) -> None:
    with_id = {**scanned.headers(), "X-Request-Id": "the-announcement-0001"}
    content = samples.pdf()
    announced = scanned.http.post(
        "/api/documents/v1/uploads", json=scanned.announcement(content), headers=with_id
    ).get_json()
    assert send(announced["form"], content).status_code == 204
    if completed_by == "citizen":
        with_id["X-Request-Id"] = "the-completion-0002"
        path = f"/api/documents/v1/documents/{announced['document_id']}/completion"
        assert scanned.http.post(path, headers=with_id).status_code == 200
    else:
        with scanned.database.transaction() as unit:
            unit.session.execute(text("UPDATE documents SET sweep_due_at = now()"))
        sweep_uploads(scanned.desk)
    assert scan_next(scanned.desk)
    with scanned.database.session() as session:
        told = session.execute(text("SELECT request_id FROM event_log")).scalar_one()
    assert told == {"citizen": "the-completion-0002", "sweeper": "the-announcement-0001"}[completed_by]


def test_without_a_scanner_any_more_what_waited_is_not_scanned(scanned: Service) -> None:
    document_id = uploaded(scanned, samples.pdf())
    without = scanned.with_settings(clamd_address=None)
    assert scan_next(without.desk)
    assert without.get(f"/documents/{document_id}").get_json()["scan"] == "not_scanned"
    assert events(without) == [(1, "not_scanned", None)]


def test_scanner_that_answers_nonsense_gives_no_verdict() -> None:
    class Nonsense(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"HTTP/1.1 400\0")

    with socketserver.TCPServer(("127.0.0.1", 0), Nonsense) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        with pytest.raises(ScannerDown, match="400"):
            Scanner(f"127.0.0.1:{server.server_address[1]}").scan([b"x"])


def make_due(service: Service) -> None:
    with service.database.transaction() as unit:
        unit.session.execute(text("UPDATE documents SET scan_due_at = now()"))


def test_what_waits_is_told_and_whether_the_scanner_answers(
    make_service: Callable[..., Service], clamd: Clamd
) -> None:
    def told(name: str, **labels: str) -> float | None:
        with service.database.session() as session:
            watching(service.desk.scanner)(session)
        return REGISTRY.get_sample_value(name, labels)

    service = make_service(clamd_address=clamd.address)
    uploaded(service, samples.pdf())
    assert told("espace_scanner_up") == 1
    assert told("espace_loop_backlog", loop="scan") == 1
    before = told("espace_scans_total", outcome="clean") or 0.0
    while scan_next(service.desk):
        pass
    assert told("espace_loop_backlog", loop="scan") == 0
    assert told("espace_scans_total", outcome="clean") == before + 1
    service = make_service(clamd_address="127.0.0.1:9")
    assert told("espace_scanner_up") == 0
