"""What each answer of a mail server means, step by step."""

import socket
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest

from notifier_service.model import Undeliverable
from notifier_service.smtp import MailServer, Postponed

GOOD = {
    "": "220 hello",
    "EHLO": "250 hello",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go",
    ".": "250 kept",
}


class Scripted:
    """An SMTP server that answers each step as told; None closes the connection there."""

    def __init__(self) -> None:
        self.answers: dict[str, str | None] = dict(GOOD)
        self.received = b""
        self.goodbye = threading.Event()
        self.goodbye.set()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self.goodbye.set()
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                self._talk(stream)

    def _talk(self, stream: Any) -> None:
        verb = ""
        while (answer := self.answers.get(verb, "250 ok")) is not None:
            stream.write(answer.encode() + b"\r\n")
            stream.flush()
            if verb == "DATA" and answer.startswith("354"):
                verb, lines = ".", []
                while (line := stream.readline()) not in (b".\r\n", b""):
                    lines.append(line)
                self.received = b"".join(lines)
                continue
            line = stream.readline()
            if not line or line.startswith(b"QUIT"):
                return
            verb = line[:4].decode().strip().upper()
            if verb == "QUIT":
                self.goodbye.wait(10)


@pytest.fixture
def server() -> Iterator[Scripted]:
    found = Scripted()
    yield found
    found.close()


def send(port: int) -> None:
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = "x"
    mail.set_content("first\n.\nlast\n")
    client = MailServer("127.0.0.1", port, domain="d.example", timeout=5, data_timeout=5, patience=60)
    client.send(mail, sender="a@d.example", to="b@c.example", started=time.monotonic())


def test_message_arrives_whole(server: Scripted) -> None:
    send(server.port)
    assert b"\r\nfirst\r\n..\r\nlast\r\n" in server.received


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("code", [421, 450, 451, 452, 454])
def test_4xx_postpones(server: Scripted, step: str, code: int) -> None:
    server.answers[step] = f"{code} not now"
    with pytest.raises(Postponed) as caught:
        send(server.port)
    assert caught.value.reason == f"smtp_{code}"


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "."])
@pytest.mark.parametrize("code", [550, 552, 553, 554])
def test_5xx_about_the_message_ends_it(server: Scripted, step: str, code: int) -> None:
    server.answers[step] = f"{code} never"
    with pytest.raises(Undeliverable) as caught:
        send(server.port)
    assert caught.value.reason == f"smtp_{code}"


@pytest.mark.parametrize(
    ("step", "answer", "reason"),
    [
        ("", "554 no service", "server_not_ready_554"),
        ("", "421 closing", "server_not_ready_421"),
        ("MAIL", "530 authenticate first", "smtp_530"),
        ("", None, "server_unreachable"),
        ("MAIL", None, "connection_lost_at_mail"),
        ("RCPT", None, "connection_lost_at_mail"),
        ("DATA", None, "connection_lost_at_data"),
        (".", None, "connection_lost_at_data"),
    ],
)
def test_fault_of_the_server_or_the_set_up_postpones(
    server: Scripted, step: str, answer: str | None, reason: str
) -> None:
    server.answers[step] = answer
    with pytest.raises(Postponed) as caught:
        send(server.port)
    assert caught.value.reason == reason


def test_goodbye_that_fails_changes_nothing(server: Scripted) -> None:
    server.answers["QUIT"] = None
    send(server.port)


def test_goodbye_that_is_never_answered_holds_nothing_up(server: Scripted) -> None:
    server.goodbye.clear()
    began = time.monotonic()
    send(server.port)
    assert time.monotonic() - began < 4, "the wait for any other answer is five seconds"


def test_nobody_listens_postpones() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    with pytest.raises(Postponed, match="server_unreachable"):
        send(port)
