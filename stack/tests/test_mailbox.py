"""The mail catcher and its ways of failing."""

import smtplib
from email.message import EmailMessage

import pytest

from espace_stack.mailbox.client import Mailbox
from espace_stack.mailbox.smtp import Mode
from espace_stack.parts.mailbox import MailboxPart


def _send(mailbox: Mailbox, subject: str = "Bonjour é", timeout: float = 5) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "Lucie <l@example.org>", subject
    message["Message-ID"] = "<one@example.org>"
    message.set_content("texte é")
    message.add_alternative("<p>texte é</p>", subtype="html")
    with smtplib.SMTP(mailbox.smtp_host, mailbox.smtp_port, timeout=timeout) as smtp:
        smtp.send_message(message)


def test_message_sent_is_read_with_its_parts(mailbox: Mailbox) -> None:
    _send(mailbox)
    (message,) = mailbox.wait_for("l@example.org")
    assert (message.subject, message.message_id) == ("Bonjour é", "<one@example.org>")
    assert message.text is not None
    assert message.text.strip() == "texte é"
    assert message.html is not None
    assert mailbox.messages("other@example.org") == []


def test_mailbox_killed_keeps_its_messages(mailbox: Mailbox, mailbox_part: MailboxPart) -> None:
    _send(mailbox)
    mailbox_part.kill()
    with pytest.raises(ConnectionRefusedError):
        _send(mailbox)
    mailbox_part.start()
    assert len(mailbox.messages()) == 1


@pytest.mark.parametrize(("mode", "code"), [("4xx", 451), ("5xx", 550)])
def test_switch_with_times_refuses_so_often_then_accepts(mailbox: Mailbox, mode: Mode, code: int) -> None:
    mailbox.switch(mode, times=2)
    for _ in range(2):
        with pytest.raises(smtplib.SMTPDataError) as refused:
            _send(mailbox)
        assert refused.value.smtp_code == code
    assert mailbox.messages() == []
    _send(mailbox)
    assert len(mailbox.messages()) == 1


def test_connection_dropped_after_data_leaves_the_message(mailbox: Mailbox) -> None:
    mailbox.switch("drop_after_data", times=1)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        _send(mailbox)
    assert len(mailbox.messages()) == 1


def test_hanging_mailbox_answers_nothing(mailbox: Mailbox) -> None:
    mailbox.switch("hang", times=1)
    with pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"):
        _send(mailbox, timeout=0.5)
    assert mailbox.messages() == []
