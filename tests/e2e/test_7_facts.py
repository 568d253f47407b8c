"""After everything that was done to the platform: what really was published keeps its contracts."""

import pika
import pytest
from jsonschema import Draft202012Validator, FormatChecker

from espace import contracts
from espace.bus import topology
from espace_stack.testing.platform import PUBLISHERS, Platform


def test_every_event_that_was_published_keeps_its_contract(platform: Platform) -> None:
    formats = FormatChecker()
    seen: dict[str, int] = {}
    for service in PUBLISHERS:
        for event_type, subject, version, data in platform.rows(
            service, "select type, subject, version, data from event_log"
        ):
            schema = contracts.schemas()[event_type]
            Draft202012Validator(schema, format_checker=formats).validate(data)
            assert set(data) <= set(schema["properties"]), f"{event_type} says more than its contract"
            assert schema["x-producer"] == service
            assert subject == data[schema["x-subject"]]
            assert version >= 1
            seen[event_type] = seen.get(event_type, 0) + 1
    if not seen:
        pytest.fail("nothing was published: run the whole folder")
    assert set(seen) == set(contracts.schemas()), "a type that nothing published"


def test_nothing_was_left_over(platform: Platform) -> None:
    platform.settle()
    for service in PUBLISHERS:
        assert platform.rows(service, "select count(*) from outbox") == [(0,)]
    with pika.BlockingConnection(pika.URLParameters(platform.stack.addresses.amqp)) as connection:
        channel = connection.channel()
        for service in topology.SUBSCRIPTIONS:
            dead = channel.queue_declare(topology.dead_queue(service), passive=True).method.message_count
            assert dead == 0, f"{dead} dead letters of {service}"
