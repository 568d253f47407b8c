"""The topology: one module, the same in both clients, with nothing an old broker does not know."""

import json
import re
import subprocess
import sys
from typing import Any

import amqp
import pika

from espace.bus import consumer, publisher, topology


def test_both_clients_declare_the_same(vhost: str) -> None:
    """A second declaration that differs in anything is refused by the broker."""
    with pika.BlockingConnection(pika.URLParameters(vhost)) as connection:
        consumer.declare(connection.channel())
        parameters = connection._impl.params
        raw = amqp.Connection(
            f"{parameters.host}:{parameters.port}",
            parameters.credentials.username,
            parameters.credentials.password,
            virtual_host=parameters.virtual_host,
        )
        with raw:
            publisher.declare(raw.channel())


def test_every_policy_has_queues_and_every_consumed_queue_has_a_limit() -> None:
    outside = topology.outsider_queue("somebody")
    names = {queue.name for queue in (*topology.queues(), outside)}
    for name, (pattern, _) in topology.policies().items():
        assert any(re.search(pattern, queue) for queue in names), name
    pattern, limits = topology.policies()["espace-queues"]
    assert limits["delivery-limit"] > 0
    assert {queue for queue in names if re.search(pattern, queue)} == set(topology.SUBSCRIPTIONS)


def test_no_queue_drops_what_it_refuses_or_what_expires() -> None:
    for queue in topology.queues():
        assert queue.arguments["x-queue-type"] == "quorum"
        if "x-dead-letter-exchange" in queue.arguments:
            assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"
            assert queue.arguments["x-overflow"] == "reject-publish"
        else:
            assert queue.name == topology.UNROUTABLE or queue.name.endswith(".dead")


def test_the_definitions_are_printed() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "espace.bus.topology", "a-vhost"], capture_output=True, check=True
    )
    definitions: dict[str, Any] = json.loads(printed.stdout)
    assert definitions == topology.definitions("a-vhost")
    assert {binding["source"] for binding in definitions["bindings"]} == {
        topology.EVENTS,
        topology.DEAD,
        topology.UNROUTABLE,
    }
