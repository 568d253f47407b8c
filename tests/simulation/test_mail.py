"""What the mail server in memory is taken for, a real one is asked too, through our own client."""

import time
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any, Final

import pytest

from espace_stack.mailbox.smtp import Mode as RealMode
from notifier_service.model import Undeliverable
from notifier_service.sending import Server
from notifier_service.smtp import MailServer, Postponed
from tests.simulation.mail import MemoryMail, Mood

MODES: Final[dict[Mood, RealMode]] = {"451": "4xx", "550": "5xx", "lost": "drop_after_data"}
TO: Final = "lucie@citoyens.example"
Asked = tuple[Server, Callable[[Mood], None], Callable[[], list[str]]]


@pytest.fixture(params=["memory", "SMTP"])
def server(request: pytest.FixtureRequest) -> Asked:
    """A server, how it is told to behave with the next message, and the Message-IDs it has."""
    if request.param == "memory":
        memory = MemoryMail()
        return memory, memory.be, lambda: [message_id for message_id, _ in memory.taken]
    mailbox: Any = request.getfixturevalue("mailbox")
    host, port = mailbox.smtp_host, mailbox.smtp_port
    real = MailServer(host, port, domain="d.example", timeout=5, data_timeout=5, patience=60)
    return (
        real,
        lambda mood: mailbox.switch(MODES[mood], 1),
        lambda: [message.message_id for message in mailbox.messages(TO)],
    )


def send(server: Server) -> None:
    mail = EmailMessage()
    mail["Message-ID"] = "<one@d.example>"
    mail.set_content("x")
    server.send(mail, sender="a@d.example", to=TO, started=time.monotonic())


def test_what_is_taken_is_there(server: Asked) -> None:
    to, _, taken = server
    send(to)
    assert taken() == ["<one@d.example>"]


def test_what_is_not_taken_now_is_taken_later(server: Asked) -> None:
    to, be, taken = server
    be("451")
    with pytest.raises(Postponed, match="smtp_45"):
        send(to)
    assert not taken()
    send(to)
    assert len(taken()) == 1


def test_what_is_refused_is_told_as_refused(server: Asked) -> None:
    to, be, taken = server
    be("550")
    with pytest.raises(Undeliverable, match="smtp_55"):
        send(to)
    assert not taken()


def test_a_connection_lost_after_data_leaves_a_message_that_nobody_was_told_of(server: Asked) -> None:
    to, be, taken = server
    be("lost")
    with pytest.raises(Postponed, match="connection_lost_at_data"):
        send(to)
    send(to)
    assert taken() == ["<one@d.example>"] * 2, "under the same Message-ID"
