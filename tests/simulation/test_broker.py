"""What the broker in memory is taken for, RabbitMQ is asked too, through our own clients."""

from collections.abc import Iterator
from typing import Any

import pika
import pika.exceptions
import pytest

from espace.bus import topology
from espace.bus.event import routing_key
from espace.bus.publisher import Message
from espace.testing import until
from espace_stack.servers import Addresses
from tests.simulation.brokers import AnyBroker, InMemory, RabbitMQ

SUBMITTED = "be.espace.dossier.submitted.v1"
SET = "be.espace.dossier.deadline_set.v1"
WITHDRAWN = "be.espace.dossier.withdrawn.v1"


@pytest.fixture(params=["memory", "RabbitMQ"])
def broker(request: pytest.FixtureRequest) -> Iterator[AnyBroker]:
    if request.param == "memory":
        yield InMemory()
        return
    parts: Addresses = request.getfixturevalue("parts")
    real = RabbitMQ(request.getfixturevalue("vhost"), parts.management)
    yield real
    real.close()


def message(name: str, type_: str = SET) -> Message:
    return Message(name, routing_key(type_), type_, name.encode())


def published(broker: AnyBroker, *names: str, type_: str = SET) -> None:
    outcome = broker.publisher().publish(topology.EVENTS, [message(name, type_) for name in names])
    assert outcome.confirmed == set(names)
    assert not outcome.refused
    assert outcome.error is None


def depth(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).method.message_count)


def take(channel: Any, queue: str) -> tuple[Any, Any, str]:
    """The next message; it may be on its way."""

    def got() -> Any:
        found = channel.basic_get(queue)
        return found if found[0] is not None else None

    method, properties, body = until(f"a message in {queue}", got, 20)
    return method, properties, body.decode()


def put(channel: Any, queue: str, body: str, **properties: Any) -> None:
    options = pika.BasicProperties(delivery_mode=2, **properties)
    channel.basic_publish("", queue, body.encode(), options, mandatory=True)


def test_an_event_is_in_the_queue_of_each_of_its_readers_and_in_no_other(broker: AnyBroker) -> None:
    published(broker, "one", type_=SUBMITTED)
    channel = broker.channel()
    assert take(channel, "documents")[2] == take(channel, "notifier")[2] == "one"
    assert not any(depth(channel, queue.name) for queue in topology.queues())


def test_messages_of_a_queue_keep_their_order_and_their_names(broker: AnyBroker) -> None:
    names = [str(number) for number in range(20)]
    published(broker, *names)
    channel = broker.channel()
    taken = [take(channel, "scheduler") for _ in names]
    assert [body for _, _, body in taken] == names
    assert [properties.message_id for _, properties, _ in taken] == names
    assert {properties.type for _, properties, _ in taken} == {SET}
    assert not any(method.redelivered for method, _, _ in taken)
    assert channel.basic_get("scheduler")[0] is None


def test_an_event_that_was_never_declared_is_confirmed_and_kept_apart(broker: AnyBroker) -> None:
    published(broker, "lost", type_="be.espace.dossier.forgotten.v1")
    assert take(broker.channel(), topology.UNROUTABLE)[2] == "lost"


def test_an_event_that_nobody_reads_yet_is_confirmed_and_kept_nowhere(broker: AnyBroker) -> None:
    published(broker, "unread", type_=WITHDRAWN)
    channel = broker.channel()
    assert not any(depth(channel, queue.name) for queue in topology.queues())


def test_a_copy_for_a_queue_that_is_not_there_is_an_error(broker: AnyBroker) -> None:
    channel = broker.channel()
    channel.confirm_delivery()
    with pytest.raises(pika.exceptions.UnroutableError):
        put(channel, "nobody", "x")


def test_a_full_queue_refuses_and_the_other_readers_have_theirs(broker: AnyBroker) -> None:
    channel, publisher = broker.channel(), broker.publisher()
    refused: set[str] = set()
    with broker.limited("documents", {"max-length": 1}):

        def refuses() -> bool:  # the real one's limit is soft: it is told a little later
            name = str(depth(channel, "notifier"))
            outcome = publisher.publish(
                topology.EVENTS, [message(name, SUBMITTED), message(f"{name} set", SET)]
            )
            refused.update(outcome.refused)
            assert outcome.confirmed | outcome.refused == {name, f"{name} set"}
            assert f"{name} set" in outcome.confirmed
            return bool(refused)

        until("it refuses", refuses, 20)
    names = [take(channel, "notifier")[2] for _ in range(depth(channel, "notifier"))]
    assert refused <= set(names), "the reader with room has it all the same"
    kept = {take(channel, "documents")[2] for _ in range(depth(channel, "documents"))}
    assert kept == set(names) - refused


def test_a_copy_for_a_full_queue_is_an_error(broker: AnyBroker) -> None:
    channel = broker.channel()
    channel.confirm_delivery()

    def refuses() -> bool:
        try:
            put(channel, "scheduler", "x")
        except pika.exceptions.NackError:
            return True
        return False

    with broker.limited("scheduler", {"max-length": 1}):
        until("it refuses", refuses, 20)


def test_what_is_acknowledged_does_not_come_again(broker: AnyBroker) -> None:
    published(broker, "first", "second")
    reader = broker.channel()
    reader.basic_ack(take(reader, "scheduler")[0].delivery_tag)
    broker.lose(reader)
    again = broker.channel()
    assert take(again, "scheduler")[2] == "second"
    assert again.basic_get("scheduler")[0] is None


def test_what_a_lost_connection_had_in_hand_comes_again_first_and_says_so(broker: AnyBroker) -> None:
    published(broker, "first", "second", "third")
    reader, again = broker.channel(), broker.channel()
    take(reader, "scheduler")
    take(reader, "scheduler")
    broker.lose(reader)
    until("it is back", lambda: depth(again, "scheduler") == 3, 20)
    taken = [take(again, "scheduler") for _ in range(3)]
    assert [(body, method.redelivered) for method, _, body in taken] == [
        ("first", True),
        ("second", True),
        ("third", False),
    ]


def test_what_is_given_back_comes_again_and_says_so(broker: AnyBroker) -> None:
    published(broker, "first", "second")
    reader = broker.channel()
    reader.basic_nack(take(reader, "scheduler")[0].delivery_tag, requeue=True)
    until("it is back", lambda: depth(reader, "scheduler") == 2, 20)
    taken = {body: method.redelivered for method, _, body in (take(reader, "scheduler") for _ in range(2))}
    assert taken == {"first": True, "second": False}


def test_what_is_given_back_too_often_is_dead(broker: AnyBroker) -> None:
    published(broker, "poison")
    reader = broker.channel()
    with broker.limited("scheduler", {"delivery-limit": 2}):
        for _ in range(3):
            reader.basic_nack(take(reader, "scheduler")[0].delivery_tag, requeue=True)
        _, properties, body = take(reader, "scheduler.dead")
        assert body == "poison"
        assert properties.headers["x-death"][0]["reason"] == "delivery_limit"
        assert reader.basic_get("scheduler")[0] is None


def test_what_is_rejected_is_dead_with_its_reason(broker: AnyBroker) -> None:
    published(broker, "poison")
    reader = broker.channel()
    reader.basic_nack(take(reader, "scheduler")[0].delivery_tag, requeue=False)
    _, properties, body = take(reader, "scheduler.dead")
    assert body == "poison"
    assert properties.message_id == "poison"
    assert properties.headers["x-death"][0]["reason"] == "rejected"


def test_what_waits_in_a_tier_comes_back_in_its_time_and_in_its_order(broker: AnyBroker) -> None:
    channel = broker.channel()
    for name, wait in (("first", "400"), ("second", "1")):  # a wait ends at the head of its queue
        put(channel, "scheduler.retry.1", name, expiration=wait, headers={"x-espace-tries": 1})
    assert channel.basic_get("scheduler")[0] is None
    broker.wait(0.5)
    taken = [take(channel, "scheduler") for _ in range(2)]
    assert [body for _, _, body in taken] == ["first", "second"]
    for _, properties, _ in taken:
        assert properties.expiration is None
        assert properties.headers["x-espace-tries"] == 1
        assert properties.headers["x-death"][0]["reason"] == "expired"


def test_what_has_no_room_where_it_goes_on_waits_where_it_is(broker: AnyBroker) -> None:
    channel = broker.channel()
    with broker.limited("scheduler", {"max-length": 1}):
        published(broker, "in its way")
        put(channel, "scheduler.retry.1", "patient", expiration="1")
        broker.wait(0.5)
    assert take(channel, "scheduler")[2] == "in its way"
    broker.wait(0.5)
    assert take(channel, "scheduler")[2] == "patient"
