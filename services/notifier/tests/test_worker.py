"""The worker as it runs: its own process, the real broker, and ``kill -9``."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pika
import pytest

from espace import contracts
from espace.bus import topology
from espace.bus.consumer import declare
from espace.db import Database
from espace.testing import until
from notifier_service.settings import Settings

from .conftest import ADDRESS, PREFIX, Notifier, dossier_facts

SECONDS = 60.0


class Worker:
    """One worker process."""

    def __init__(self, settings: Settings, crashes: Path) -> None:
        self.crashes = crashes
        names = [
            field.name for field in dataclasses.fields(settings) if getattr(settings, field.name) is not None
        ]
        self._environ = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ESPACE_")},
            **{f"ESPACE_{name.upper()}": str(getattr(settings, name)) for name in names},
            "ESPACE_CRASH_DIR": str(crashes),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it."""
        command = [sys.executable, "-m", "notifier_service", "worker"]
        self._process = subprocess.Popen(command, env=self._environ, stdout=subprocess.DEVNULL)

    def arm(self, point: str) -> None:
        """Let it die at ``point``."""
        (self.crashes / point).touch()

    def wait_for_death(self) -> None:
        """Wait until it killed itself."""
        assert self._process
        assert self._process.wait(SECONDS) == -9

    def stop(self) -> None:
        """End it in order, whatever state it is in."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            assert self._process.wait(SECONDS) == 0


@pytest.fixture
def worker(
    make_settings: Callable[..., Settings], amqp_url: str, tmp_path: Path
) -> Iterator[tuple[Worker, Notifier]]:
    settings = make_settings(amqp_url=amqp_url, mail_lease_seconds=7.0)
    database = Database(settings.database_url, application_name="notifier-test")
    found = Worker(settings, tmp_path)
    found.start()
    yield found, Notifier(database, settings, None)
    found.stop()
    database.dispose()


def publish(amqp_url: str, name: str, *, times: int = 1) -> UUID:
    """Publish a contract's example with an id of its own, as many times."""
    envelope = contracts.examples(f"{PREFIX}{name}.v1")[0] | {"id": str(uuid4())}
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        channel = connection.channel()
        declare(channel)
        channel.confirm_delivery()
        for _ in range(times):
            channel.basic_publish(
                topology.EVENTS,
                f"{name}.v1",
                json.dumps(envelope).encode(),
                pika.BasicProperties(
                    content_type="application/cloudevents+json", message_id=envelope["id"], delivery_mode=2
                ),
            )
    return UUID(envelope["id"])


def all_sent(notifier: Notifier, count: int = 1) -> Callable[[], bool]:
    return lambda: [row.state for row in notifier.rows()] == ["sent"] * count


def test_event_delivered_twice_is_one_mail(
    worker: tuple[Worker, Notifier], amqp_url: str, mailbox: Any
) -> None:
    publish(amqp_url, "dossier.submitted", times=3)
    last = publish(amqp_url, "dossier.information_requested")
    until("two mails are sent", all_sent(worker[1], 2))
    assert last in {row.event_id for row in worker[1].rows()}
    subjects = [mail.subject for mail in mailbox.wait_for(ADDRESS, count=2)]
    assert len(subjects) == len(set(subjects)) == 2


def test_killed_after_the_250_sends_at_most_one_more_copy_of_the_same_message(
    worker: tuple[Worker, Notifier], amqp_url: str, mailbox: Any
) -> None:
    process, notifier = worker
    process.arm("notifier.after_smtp_250")
    publish(amqp_url, "dossier.submitted")
    process.wait_for_death()
    assert len(mailbox.messages()) == 1
    process.start()
    until("the mail is sent", all_sent(notifier))
    assert len(mailbox.messages()) <= 2
    assert len({mail.message_id for mail in mailbox.messages()}) == 1


def test_killed_before_data_sends_exactly_one(
    worker: tuple[Worker, Notifier], amqp_url: str, mailbox: Any
) -> None:
    process, notifier = worker
    process.arm("notifier.before_data")
    publish(amqp_url, "dossier.submitted")
    process.wait_for_death()
    assert mailbox.messages() == []
    process.start()
    until("the mail is sent", all_sent(notifier))
    assert len(mailbox.messages()) == 1
    assert [attempt.outcome for attempt in notifier.attempts()] == [None, "sent"]


def test_reminder_that_waited_for_the_server_is_judged_when_it_is_back(
    worker: tuple[Worker, Notifier], amqp_url: str, mailbox: Any, mailbox_part: Any, owners: Any
) -> None:
    notifier = worker[1]
    mailbox_part.kill()
    publish(amqp_url, "dossier.reminder_due")
    until("a try", lambda: notifier.rows() and notifier.rows()[0].attempts >= 1)
    owners.dossier(dossier_facts(request={"state": "answered"}))
    mailbox_part.start()
    until("not sent", lambda: notifier.rows()[0].state == "not_sent")
    assert notifier.rows()[0].reason == "answered"
    assert mailbox.messages() == []
