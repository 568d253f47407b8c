"""What each answer of a mail server means, step by step."""

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from espace_stack.ports import free_port
from notifier_service.model import Undeliverable
from notifier_service.smtp import MailServer, Postponed, Security

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


over_tls_alone = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
"""aiosmtpd takes a connection that is TLS from its first byte for an open one."""


class Guarded:
    """A real SMTP server that lets in who speaks TLS and knows the password."""

    def __init__(self, folder: Path, security: str, *, password: str = "right") -> None:
        self.certificate = folder / "server.crt"
        command = [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ]
        command += ["-keyout", str(folder / "server.key"), "-out", str(self.certificate), "-days", "2"]
        command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        subprocess.run(command, check=True, capture_output=True)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, folder / "server.key")
        self.port = free_port()
        self.password = password.encode()
        self.received: list[tuple[str, bytes]] = []
        self.controller = Controller(
            self,
            "127.0.0.1",
            port=self.port,
            ssl_context=context if security == "tls" else None,
            tls_context=context if security == "starttls" else None,
            require_starttls=security == "starttls",
            auth_required=True,
            auth_require_tls=security == "starttls",
            authenticator=self._authenticate,
        )
        self.controller.start()

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.received.append((session.auth_data.login.decode(), envelope.content))
        return "250 kept"

    def _authenticate(self, _server: Any, _session: Any, _envelope: Any, _how: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == self.password, handled=False, auth_data=data)


@pytest.fixture
def guarded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Guarded]:
    found = Guarded(tmp_path, request.param)
    monkeypatch.setenv("SSL_CERT_FILE", str(found.certificate))
    yield found
    found.controller.stop()


def knock(port: int, security: Security, *, host: str = "localhost", password: str = "right") -> None:
    mail = EmailMessage(policy=SMTP)
    mail.set_content("for you alone")
    client = MailServer(
        host,
        port,
        domain="d.example",
        timeout=5,
        data_timeout=5,
        patience=60,
        security=security,
        username="espace",
        password=password,
    )
    client.send(mail, sender="a@d.example", to="b@c.example", started=time.monotonic())


@over_tls_alone
@pytest.mark.parametrize(
    ("guarded", "security"), [("starttls", "starttls"), ("tls", "tls")], indirect=["guarded"]
)
def test_a_server_that_asks_who_we_are_is_told_behind_tls(guarded: Guarded, security: Security) -> None:
    knock(guarded.port, security)
    ((login, content),) = guarded.received
    assert (login, b"for you alone" in content) == ("espace", True)


@pytest.mark.parametrize("guarded", ["starttls"], indirect=True)
def test_another_password_postpones_until_the_new_one_is_there(guarded: Guarded) -> None:
    guarded.password = b"rotated"
    with pytest.raises(Postponed) as caught:
        knock(guarded.port, "starttls")
    assert caught.value.reason == "smtp_535"
    knock(guarded.port, "starttls", password="rotated")
    assert len(guarded.received) == 1


@over_tls_alone
@pytest.mark.parametrize(
    ("guarded", "security"), [("starttls", "starttls"), ("tls", "tls")], indirect=["guarded"]
)
def test_a_server_that_cannot_prove_its_name_learns_nothing(guarded: Guarded, security: Security) -> None:
    with pytest.raises(Postponed) as caught:
        knock(guarded.port, security, host="127.0.0.1")
    assert caught.value.reason == "server_not_trusted"
    assert guarded.received == []


def test_a_server_without_tls_learns_no_password(server: Scripted) -> None:
    with pytest.raises(Postponed) as caught:
        knock(server.port, "starttls", host="127.0.0.1")
    assert caught.value.reason == "server_not_trusted"
