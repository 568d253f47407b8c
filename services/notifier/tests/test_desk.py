"""What an operator does with messages from the command line, on the real database and mail server."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from espace.clock import utcnow
from notifier_service import desk
from notifier_service.model import State

from .conftest import ADDRESS, Notifier, event

WHY = ("--by", "A. Dupont", "--because", "the relay is repaired")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(notifier: Notifier, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command on the notifier's database; its status, and what it says and complains of."""
    settings = notifier.settings
    for name in ("database_url", "amqp_url", "public_url", "identity_url", "client_secret", "environment"):
        monkeypatch.setenv(f"ESPACE_{name.upper()}", getattr(settings, name))
    for name in ("profile_url", "dossier_url", "smtp_host"):
        monkeypatch.setenv(f"ESPACE_{name.upper()}", getattr(settings, name))
    monkeypatch.setattr(desk, "configure_logging", lambda *_names, **_options: None)

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = desk.command(arguments)
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


@pytest.fixture
def failed(notifier: Notifier, mailbox: Any) -> UUID:
    """A receipt that the relay refused for good."""
    mailbox.switch("5xx", times=1)
    notifier.receive(event("dossier.submitted"))
    return notifier.send_until(lambda row: row.state == State.FAILED).id


def test_what_failed_or_waits_is_listed_and_what_left_is_not(
    notifier: Notifier, mailbox: Any, run: Run
) -> None:
    assert run("list") == (0, "", "")
    notifier.receive(event("dossier.submitted"))
    notifier.send_until(lambda row: row.state == State.SENT)
    mailbox.switch("5xx", times=1)
    notifier.receive(event("dossier.information_provided"))
    notifier.sender.step()
    mailbox.switch("4xx", times=1)
    notifier.receive(event("dossier.submitted"))
    notifier.sender.step()
    status, said, _ = run("list")
    assert status == 0
    listed = [line.split("  ") for line in said.splitlines()]
    assert [fields[2:] for fields in listed] == [
        ["drc_answered", "failed", "1", "smtp_550"],
        ["receipt", "temporary", "1", "smtp_451"],
    ]
    assert [UUID(fields[0]) for fields in listed] == [row.id for row in notifier.rows()[1:]]
    assert ADDRESS not in said


def test_a_message_is_shown_with_its_attempts_and_without_personal_data(failed: UUID, run: Run) -> None:
    status, said, _ = run("show", str(failed))
    shown = json.loads(said)
    assert status == 0
    assert (shown["id"], shown["state"], shown["reason"]) == (str(failed), "failed", "smtp_550")
    (attempt,) = shown["attempts"]
    assert (attempt["number"], attempt["outcome"], attempt["reason"]) == (1, "failed", "smtp_550")
    assert ADDRESS not in said


def test_a_failed_message_is_sent_again_as_the_same_message_and_the_log_says_who_and_why(
    notifier: Notifier, mailbox: Any, failed: UUID, run: Run
) -> None:
    status, said, _ = run("requeue", str(failed), *WHY)
    assert status == 0
    for told in ("message.requeued", str(failed), "A. Dupont", "the relay is repaired", "smtp_550"):
        assert told in said
    assert "1 requeued" in said
    row = notifier.send_until(lambda row: row.state == State.SENT)
    (mail,) = mailbox.wait_for(ADDRESS)
    assert (row.id, row.reason, mail.message_id) == (failed, None, f"<{failed}@monespace.example>")
    assert [(one.number, one.outcome) for one in notifier.attempts()] == [(1, "failed"), (2, "sent")]
    assert run("list") == (0, "", "")


def test_without_ids_everything_that_did_not_leave_is_tried_at_once(
    notifier: Notifier, mailbox: Any, failed: UUID, run: Run
) -> None:
    mailbox.switch("4xx", times=1)
    notifier.receive(event("dossier.information_provided"))
    notifier.sender.step()
    with notifier.database.transaction() as unit:
        unit.session.execute(
            text("UPDATE notifications SET due_at = now() + interval '2 hours' WHERE state = 'temporary'")
        )
    status, said, _ = run("requeue", *WHY)
    assert (status, said.splitlines()[-1]) == (0, "2 requeued")
    assert all(row.due_at <= utcnow() for row in notifier.rows())
    while notifier.sender.step():
        pass
    assert {row.state for row in notifier.rows()} == {State.SENT}
    assert len(mailbox.messages()) == 2


def test_what_left_or_is_nobodys_is_not_sent_again(notifier: Notifier, mailbox: Any, run: Run) -> None:
    notifier.receive(event("dossier.submitted"))
    row = notifier.send_until(lambda row: row.state == State.SENT)
    nobody = uuid4()
    status, said, complaint = run("requeue", str(row.id), str(nobody), *WHY)
    assert (status, said) == (1, "0 requeued\n")
    assert str(row.id) in complaint
    assert str(nobody) in complaint
    assert run("show", str(nobody))[0] == 1
    assert notifier.sender.step() is False
    assert len(mailbox.messages()) == 1


@pytest.mark.parametrize("arguments", [["requeue"], ["requeue", "--by", "A. Dupont"], ["requeue", "x"], []])
def test_who_and_why_must_be_said(run: Run, arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        run(*arguments)
