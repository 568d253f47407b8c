"""The malware scanner: the one that is named, the machine's own, or none; and the table says which."""

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from espace_stack.given import given_scanner
from espace_stack.probe import clamd_answers
from espace_stack.stack import Stack
from espace_stack.table import show_addresses


class _Conversation(socketserver.StreamRequestHandler):
    """PING, as clamd speaks it."""

    def handle(self) -> None:
        self.wfile.write(b"PONG\0" if self.rfile.read(6) == b"zPING\0" else b"UNKNOWN COMMAND\0")


@pytest.fixture(params=["socket", "port"])
def clamd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a stand-in for clamd."""
    server: socketserver.BaseServer
    if request.param == "socket":
        address = str(tmp_path / "clamd.ctl")
        server = socketserver.UnixStreamServer(address, _Conversation)
    else:
        server = socketserver.TCPServer(("127.0.0.1", 0), _Conversation)
        address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield address
    server.shutdown()
    thread.join()
    server.server_close()


def scan(stack: Stack) -> str:
    stack.legal.ensure()
    (line,) = [line for line in show_addresses(stack).splitlines() if "malware scan" in line]
    return line


def test_scanner_that_answers_is_given_to_documents_and_shown(tmp_path: Path, clamd: str) -> None:
    assert clamd_answers(clamd)
    stack = Stack(tmp_path, given=given_scanner({"ESPACE_CLAMD_ADDRESS": clamd}))
    assert stack.env("documents-worker")["ESPACE_CLAMD_ADDRESS"] == clamd
    assert "ESPACE_CLAMD_ADDRESS" not in stack.env("dossier-worker")
    assert scan(stack).endswith(f"clamd at {clamd}")


def test_scanner_of_the_machine_is_used_when_it_answers(tmp_path: Path, clamd: str) -> None:
    assert given_scanner({}, socket=clamd) == {"CLAMD": clamd}
    assert given_scanner({}, socket=str(tmp_path / "nobody.ctl")) == {}
    assert given_scanner({"ESPACE_CLAMD_ADDRESS": ""}, socket=clamd) == {"CLAMD": ""}


def test_scanner_that_is_away_stays_configured_and_is_shown(tmp_path: Path) -> None:
    stack = Stack(tmp_path, given={"CLAMD": "127.0.0.1:9"})
    assert stack.env("documents-api")["ESPACE_CLAMD_ADDRESS"] == "127.0.0.1:9"
    assert "does not answer: files are not served" in scan(stack)


def test_without_scanner_the_table_says_so(tmp_path: Path) -> None:
    stack = Stack(tmp_path)
    assert "ESPACE_CLAMD_ADDRESS" not in stack.env("documents-api")
    assert "not configured" in scan(stack)
