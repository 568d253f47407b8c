"""The whole worker, between a real broker and a real database."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pika
import pytest
from jsonschema import Draft202012Validator

from espace import contracts
from espace.bus import Event
from espace.bus.consumer import declare
from espace.bus.event import encode, envelope


def send(channel: Any, type_: str, data: dict[str, Any]) -> None:
    event = Event(type=type_, subject=data["deadline_id"], version=1, data=data)
    channel.basic_publish("", "scheduler", encode(envelope(event, service="dossier")))


@pytest.mark.asynchronous
def test_stopped_for_36_hours_and_started_again_it_publishes_what_is_due_once(
    scheduler: Any, amqp_url: str
) -> None:
    identity = uuid4()
    deadline = contracts.examples("be.espace.dossier.deadline_set.v1")[0]["data"]
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        channel = connection.channel()
        declare(channel)
        send(channel, "be.espace.dossier.deadline_set.v1", {**deadline, "deadline_id": str(identity)})
        first = scheduler.process(amqp_url=amqp_url)
        scheduler.until("kept", lambda: scheduler.rows("SELECT 1 FROM deadlines"))
        first.terminate()
        assert first.wait(30) == 0, "it drains and ends by itself"

        scheduler.freeze(datetime(2024, 10, 26, 10, tzinfo=UTC))
        again = [scheduler.process(amqp_url=amqp_url) for _ in range(2)]
        try:
            scheduler.until("fired", lambda: scheduler.deadline(identity)["state"] == "fired")
            scheduler.until("published", lambda: not scheduler.published())
            scheduler.until("all three ran", lambda: len(scheduler.log("program.started")) == 3)
        finally:
            for process in again:
                process.terminate()
            assert [process.wait(30) for process in again] == [0, 0]
        method, _, body = channel.basic_get("dossier", auto_ack=True)
        assert method is not None
        assert channel.basic_get("dossier")[0] is None, "once"
    document = json.loads(body)
    Draft202012Validator(contracts.envelope()).validate(document)
    Draft202012Validator(contracts.schemas()[document["type"]]).validate(document["data"])
    assert document["type"] == "be.espace.deadline.expired.v1"
    assert UUID(document["subject"]) == identity
    assert scheduler.reminders(identity) == [(1, 1, "skipped", "expired")]


def test_its_dead_letters_are_listed_and_replayed_from_the_command_line(amqp_url: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        channel = connection.channel()
        declare(channel)
        event = Event(type="be.espace.dossier.deadline_set.v1", subject=str(uuid4()), version=1, data={})
        channel.confirm_delivery()
        channel.basic_publish("", "scheduler.dead", encode(envelope(event, service="dossier")))

    def command(*arguments: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "deadline_scheduler_service", "dead-letters", *arguments],
            env={**os.environ, "ESPACE_AMQP_URL": amqp_url},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert command("list").startswith(str(event.id))
    assert json.loads(command("show", str(event.id)))["type"] == event.type
    assert command("replay", str(event.id), "--by", "duty").endswith("1 replayed\n")
    assert command("list") == ""
