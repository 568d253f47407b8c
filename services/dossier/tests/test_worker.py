"""The worker on a real broker: what arrives twice has one effect, and that is published."""

import threading
from collections.abc import Callable
from typing import Any

import pika
import pytest

from dossier_service.settings import Settings
from dossier_service.worker import create_loops
from espace.bus import Event
from espace.bus.consumer import declare
from espace.bus.event import decode, encode, envelope
from espace.db import Database
from espace.testing import until
from espace.worker import Stop

PATIENCE_SECONDS = 60.0


@pytest.fixture
def settings(database: Database, amqp_url: str, clock: Any, event_key: str) -> Settings:
    return Settings(
        database_url=database.url,
        amqp_url=amqp_url,
        public_url="http://localhost:8080",
        identity_url="http://identity.test",
        client_secret="secret",
        documents_url="http://documents.test",
        event_key=event_key,
        environment="test",
        legal_clock_file=clock.file,
    )


@pytest.mark.asynchronous
def test_an_expiry_sent_twice_lapses_once_and_the_fact_reaches_the_notifier(
    settings: Settings, database: Database, citizen: Callable[..., Any], clock: Any, events: Any
) -> None:
    lucie = citizen()
    dossier = lucie.ready(drc=True)
    assert lucie.submit(dossier).status_code == 201
    (request,) = lucie.dossier(dossier["id"])["information_requests"]
    clock.freeze("2024-10-27T12:00:00+01:00")
    expired = Event(
        type="be.espace.deadline.expired.v1",
        subject=request["id"],
        version=1,
        data={
            "deadline_id": request["id"],
            "owner": "dossier",
            "kind": "information_request",
            "due_at": request["due_at"],
        },
    )
    body = encode(envelope(expired, service="scheduler"))
    stop = Stop()
    threads = [
        threading.Thread(target=loop.run, args=(stop,), daemon=True)
        for loop in create_loops(settings, database)
    ]
    with pika.BlockingConnection(pika.URLParameters(settings.amqp_url)) as connection:
        channel = connection.channel()
        declare(channel)
        for thread in threads:
            thread.start()
        try:
            for _ in range(2):
                channel.basic_publish("", "dossier", body)
            wanted = [
                "be.espace.dossier.submitted.v1",
                "be.espace.dossier.information_requested.v1",
                "be.espace.dossier.information_request_lapsed.v1",
            ]
            assert [decode(message).type for message in _take(channel, "notifier", 3)] == wanted
            (deadline,) = _take(channel, "scheduler", 1)
            assert decode(deadline).subject == request["id"]
        finally:
            stop.set()
            for thread in threads:
                thread.join(20)
        assert channel.basic_get("notifier")[0] is None
    assert [name for name, _, _ in events()].count("dossier.information_request_lapsed") == 1
    assert lucie.dossier(dossier["id"])["information_requests"][0]["state"] == "lapsed"


def _take(channel: Any, queue: str, count: int) -> list[bytes]:
    """That many messages from a queue, waiting for them."""
    taken: list[bytes] = []

    def enough() -> bool:
        while len(taken) < count:
            method, _, body = channel.basic_get(queue, auto_ack=True)
            if method is None:
                return False
            taken.append(body)
        return True

    until(lambda: f"{count} messages in {queue}; {len(taken)} came", enough, PATIENCE_SECONDS)
    return taken
