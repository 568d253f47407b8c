"""Outsiders: told in order and signed, since when they like, and harmless whatever they do."""

import json
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pika
import pika.exceptions
import pytest
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, KeySet
from jsonschema import Draft202012Validator
from prometheus_client import REGISTRY
from sqlalchemy import text

from espace import contracts
from espace.auth.signing import Signer
from espace.bus import Event, topology
from espace.bus.publisher import Publisher, message_of
from espace.bus.relay import Relay
from espace.clock import utcnow
from espace.outside.access import grant, revoke
from espace.outside.command import command
from espace.outside.forwarder import Forwarder
from espace.outside.outsiders import Mark, after, let_in, outsiders
from espace.testing import until
from espace_stack.process import base_environment
from espace_stack.testing.servers import Addresses
from shared.tests.bus.conftest import Bus

SUBMITTED, WITHDRAWN = "be.espace.dossier.submitted.v1", "be.espace.dossier.withdrawn.v1"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def pem() -> str:
    return ECKey.generate_key("P-256").as_pem(private=True).decode()


PEM = pem()


class Owner(Bus):
    """A service that tells outsiders, and those."""

    def fact(self, type_: str = SUBMITTED, **data: Any) -> Event:
        example = contracts.examples(type_)[0]["data"]
        subject = str(uuid4())
        return Event(type=type_, subject=subject, version=1, data={**example, "dossier_id": subject, **data})

    def tell(self, count: int = 1, type_: str = SUBMITTED, **data: Any) -> list[UUID]:
        events = [self.fact(type_, **data) for _ in range(count)]
        for event in events:
            with self.database.transaction() as unit:
                unit.record(event)
        return [event.id for event in events]

    def let_in(self, name: str, *types: str, since: datetime = LONG_AGO) -> None:
        with self.database.transaction() as unit:
            let_in(unit.session, name, types or (SUBMITTED,), since)

    def forwarder(self, **options: Any) -> Forwarder:
        return Forwarder("dossier", self.database, self.amqp_url, Signer(PEM), **options)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "dossier_service", "outsiders", *arguments],
            env={
                **base_environment(),
                "ESPACE_DATABASE_URL": self.database.url,
                "ESPACE_AMQP_URL": self.amqp_url,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def waits(self, name: str) -> int | None:
        """How many messages wait in an outsider's queue; None when there is no such queue."""
        try:
            return self.depth(f"outside.{name}")
        except pika.exceptions.ChannelClosedByBroker as error:
            if error.reply_code == 404:
                return None
            raise

    def read(self, name: str, count: int) -> list[UUID]:
        """Take ``count`` messages when there are as many; their ids in order."""
        until(f"{name} has {count}", lambda: (self.waits(name) or 0) >= count)
        return [UUID(str(document["id"])) for document in self.take(f"outside.{name}")]

    def behind(self, name: str) -> float | None:
        return REGISTRY.get_sample_value("espace_outsider_oldest_age_seconds", {"outsider": name})


@pytest.fixture
def owner(
    parts: Addresses, fresh_database: Callable[[str], str], vhost: str, tmp_path: Path
) -> Iterator[Owner]:
    made = Owner(fresh_database("dossier_service"), vhost, parts.management, tmp_path)
    yield made
    made.close()


def test_the_past_since_a_date_comes_first_and_in_order_then_what_is_new(owner: Owner) -> None:
    owner.tell(3)
    since = utcnow()
    past = owner.tell(450)
    owner.let_in("tournai", since=since)
    with owner.running(owner.forwarder()):
        until("the past is there", lambda: owner.waits("tournai") == len(past))
        new = owner.tell(5)
        assert owner.read("tournai", len(past) + len(new)) == past + new


def test_only_what_was_asked_for_is_told_and_nothing_of_the_platform_itself(owner: Owner) -> None:
    owner.tell(2, SUBMITTED)
    owner.tell(1, SUBMITTED, synthetic=True)
    withdrawn = owner.tell(2, WITHDRAWN)
    owner.let_in("mons", WITHDRAWN)
    with owner.running(owner.forwarder()):
        assert owner.read("mons", 2) == withdrawn
        submitted = owner.tell(1, SUBMITTED)
        owner.let_in("namur", SUBMITTED, since=utcnow() - timedelta(minutes=10))
        assert len(owner.read("namur", 3)) == len(submitted) + 2
    assert owner.waits("mons") == 0


def test_what_is_told_is_signed_and_says_nothing_that_joins_what_a_person_does(owner: Owner) -> None:
    owner.let_in("tournai")
    (identity,) = owner.tell()
    with owner.running(owner.forwarder()):
        until("it is there", lambda: owner.waits("tournai") == 1)
    with pika.BlockingConnection(pika.URLParameters(owner.amqp_url)) as connection:
        _, properties, body = connection.channel().basic_get("outside.tournai", auto_ack=True)
    document = json.loads(body)
    Draft202012Validator(contracts.envelope()).validate(document)
    assert (document["id"], properties.message_id) == (str(identity), str(identity))
    assert "citizen_id" not in document["data"]
    assert {"requestid", "traceparent"} & set(document) == set()
    keys = KeySet.import_key_set(Signer(PEM).jwks())
    signature = properties.headers["jws"]
    found = jws.deserialize_compact(signature, keys, algorithms=["ES256"], payload=body)
    assert found.headers()["typ"] == "event+jws"
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(signature, keys, algorithms=["ES256"], payload=body + b" ")


def test_keys_change_without_a_message_that_cannot_be_verified() -> None:
    old, new = pem(), pem()
    before, both, after = Signer(old), Signer(new + old), Signer(new)
    published = KeySet.import_key_set(both.jwks())
    for signer in (before, both, after):
        jws.deserialize_compact(signer.detached("x", b"{}"), published, algorithms=["ES256"], payload=b"{}")
    kids = [key["kid"] for key in both.jwks()["keys"]]
    assert both.jwks()["keys"][0] == after.jwks()["keys"][0]
    assert len(set(kids)) == 2
    assert "d" not in both.jwks()["keys"][0]


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"])
def test_what_is_no_key_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match="not private P-256 keys"):
        Signer(text)


@pytest.mark.asynchronous
def test_what_commits_late_below_what_was_seen_is_not_passed_over(owner: Owner) -> None:
    owner.let_in("tournai")
    late, forwarder = owner.fact(), owner.forwarder()
    with owner.database.transaction() as unit:
        unit.record(late)
        unit.flush()  # its transaction began to write before the others
        others = owner.tell(3)
        forwarder.step()
        assert owner.waits("tournai") is None, "what is newer than a running transaction waits for it"
    forwarder.step()
    assert owner.read("tournai", 4) == [late.id, *others]
    forwarder.close()


def test_a_date_within_a_running_transaction_takes_it_along(owner: Owner) -> None:
    since = utcnow()
    late, forwarder = owner.fact(), owner.forwarder()
    with owner.database.transaction() as unit:
        unit.record(late)
        unit.flush()
        others = owner.tell(2)
        owner.let_in("tournai", since=since)
        forwarder.step()
    forwarder.step()
    assert owner.read("tournai", 3) == [late.id, *others]
    forwarder.close()


@pytest.mark.asynchronous
def test_a_full_queue_delays_nobody_and_gets_the_rest_in_order_when_it_is_read(owner: Owner) -> None:
    owner.let_in("asleep")
    owner.let_in("awake")
    with (
        owner.running(owner.forwarder(quota=10), Relay("dossier", owner.database, owner.amqp_url)),
    ):
        told = owner.tell(10)
        until("both have ten", lambda: owner.waits("asleep") == owner.waits("awake") == 10)
        assert owner.read("awake", 10) == told
        more = owner.tell(10)
        assert owner.read("awake", 10) == more
        until("the services have theirs", lambda: owner.count("outbox") == 0)
        assert owner.depth("notifier") == 20
        until("it is seen to be behind", lambda: (owner.behind("asleep") or 0) > 0)
        assert owner.behind("awake") == 0
        assert owner.read("asleep", 10) == told
        assert owner.read("asleep", 10) == more
        until("it is behind no more", lambda: owner.behind("asleep") == 0)


@pytest.mark.asynchronous
def test_a_queue_that_the_broker_refuses_delays_nobody_and_loses_nothing(owner: Owner) -> None:
    owner.let_in("asleep")
    owner.let_in("awake")
    limits = {"max-length": 5, "overflow": "reject-publish"}
    with owner.limited("outside.asleep", limits), owner.running(owner.forwarder()):
        told = owner.tell(40)
        assert owner.read("awake", 40) == told
        taken: list[UUID] = []

        def took_all() -> bool:
            taken.extend(UUID(str(one["id"])) for one in owner.take("outside.asleep"))
            return set(taken) == set(told)

        until("what was refused comes when there is room", took_all)


@pytest.mark.asynchronous
def test_a_queue_that_was_deleted_is_there_again_with_the_next_event(owner: Owner) -> None:
    owner.let_in("tournai")
    with owner.running(owner.forwarder()):
        owner.tell()
        until("it is there", lambda: owner.waits("tournai") == 1)
        with pika.BlockingConnection(pika.URLParameters(owner.amqp_url)) as connection:
            connection.channel().queue_delete("outside.tournai")
        (next_one,) = owner.tell()
        assert owner.read("tournai", 1) == [next_one]


def test_what_has_no_queue_outside_is_not_taken_for_told_though_we_do_not_read_it_either(
    owner: Owner,
) -> None:
    withdrawn = message_of(owner.fact(WITHDRAWN), service="dossier")
    assert WITHDRAWN in topology.UNCONSUMED
    publisher = Publisher(owner.amqp_url, "test")
    among_us = publisher.publish(topology.EVENTS, [withdrawn])
    outside = publisher.publish(topology.OUTSIDE, [replace(withdrawn, key="outside.nobody")])
    publisher.close()
    assert (among_us.confirmed, outside.confirmed) == ({withdrawn.id}, set())


@pytest.mark.asynchronous
def test_killed_between_confirm_and_mark_it_tells_the_same_again_in_the_same_order(owner: Owner) -> None:
    owner.let_in("tournai")
    told = owner.tell(20)
    owner.arm("forwarder.after_confirm")
    first = owner.spawn(str(Path(__file__).with_name("outside_worker.py")), ESPACE_EVENT_KEY=PEM)
    assert first.wait(60) == -signal.SIGKILL
    assert owner.waits("tournai") == 20
    owner.spawn(str(Path(__file__).with_name("outside_worker.py")), ESPACE_EVENT_KEY=PEM)
    assert owner.read("tournai", 40) == told + told


@pytest.mark.asynchronous
def test_of_two_forwarders_one_leads_and_the_other_takes_over(owner: Owner) -> None:
    owner.let_in("tournai")
    two = [
        owner.spawn(str(Path(__file__).with_name("outside_worker.py")), ESPACE_EVENT_KEY=PEM) for _ in "ab"
    ]
    told = owner.tell(30)
    assert owner.read("tournai", 30) == told
    (leader,) = set(owner.log("leader.gained"))
    two[leader].kill()
    more = owner.tell(30)
    assert owner.read("tournai", 30) == more


def test_the_order_is_that_of_numbers_and_not_of_their_digits(owner: Owner) -> None:
    told = owner.tell(3)
    with owner.database.transaction() as unit:
        for identity, number in zip(told, (10, 9, 100), strict=True):
            renumbered = text("UPDATE event_log SET recorded_in = :number WHERE id = :id")
            unit.session.execute(renumbered, {"id": identity, "number": number})
    with owner.database.session() as session:
        found = [recorded.event.id for recorded in after(session, Mark(0, 0), 10)]
    assert found == [told[1], told[0], told[2]]


def test_replay_since_a_date_comes_again_in_order_and_disturbs_nobody(owner: Owner) -> None:
    told = owner.tell(5)
    owner.let_in("tournai")
    owner.let_in("mons")
    with owner.running(owner.forwarder()):
        assert owner.read("tournai", 5) == owner.read("mons", 5) == told
        owner.let_in("tournai")
        assert owner.read("tournai", 5) == told
        assert owner.waits("mons") == 0
    assert owner.depth("notifier") == 0, "nothing is published to ourselves"


def test_the_operator_lets_in_lists_and_lets_out(owner: Owner) -> None:
    let = owner.command("let-in", "tournai", "dossier.withdrawn.v1", SUBMITTED, "--by", "ops")
    assert let.returncode == 0, let.stderr
    assert "outside.tournai" in let.stdout
    assert owner.waits("tournai") == 0, "the queue is there at once"
    assert "dossier.submitted.v1 dossier.withdrawn.v1" in owner.command("list").stdout
    with owner.database.session() as session:
        assert [outsider.name for outsider in outsiders(session)] == ["tournai"]
    out = owner.command("let-out", "tournai", "--by", "ops")
    assert (out.returncode, owner.command("list").stdout) == (0, "")
    assert revoke("tournai")[0] in out.stdout
    again = owner.command("let-out", "tournai", "--by", "ops")
    assert (again.returncode, again.stderr) == (1, "nobody is told anything under the name tournai\n")
    assert owner.waits("tournai") is None


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["let-in", "Tournai!", SUBMITTED, "--by", "ops"], "is not a name such as"),
        (["let-in", "tournai", "deadline.expired.v1", "--by", "ops"], "is not told to outsiders; these are"),
        (["let-in", "tournai", SUBMITTED, "--since", "2024-10-13", "--by", "ops"], "with its zone"),
        (["let-in", "tournai", SUBMITTED], "--by"),
        ([], "action"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        command("dossier", arguments)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_an_outsider_reads_its_queue_and_may_do_nothing_else_until_it_is_shut_out(
    private_bus: Bus, private: Any
) -> None:
    host = private_bus.amqp_url.rsplit("/", 1)[1]

    def administrate(*lines: str) -> None:
        for line in lines:
            password = ["word-of-tournai"] if " add_user " in line else []
            private.rabbitmq.administrate(*shlex.split(line)[1:], *password)

    for name in ("tournai", "mons"):
        with pika.BlockingConnection(pika.URLParameters(private_bus.amqp_url)) as connection:
            queue = topology.outsider_queue(name)
            connection.channel().queue_declare(queue.name, durable=True, arguments=queue.arguments)
    private_bus.put("outside.tournai", b"{}")
    administrate(*grant("tournai", host))
    port = private.rabbitmq.ports["amqp"]
    mine = pika.URLParameters(f"amqp://outside-tournai:word-of-tournai@127.0.0.1:{port}/{host}")

    def refused(action: Callable[[Any], Any]) -> bool:
        with pika.BlockingConnection(mine) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            try:
                action(channel)
            except pika.exceptions.ChannelClosedByBroker as error:
                return int(error.reply_code) == 403
            return False

    for action in (
        lambda channel: channel.basic_get("outside.mons"),
        lambda channel: channel.basic_get("scheduler"),
        lambda channel: channel.basic_publish("", "outside.mons", b"forged"),
        lambda channel: channel.basic_publish(topology.EVENTS, "dossier.submitted.v1", b"forged"),
        lambda channel: channel.queue_declare("outside.more", durable=True),
        lambda channel: channel.queue_bind("outside.tournai", topology.EVENTS, "#"),
        lambda channel: channel.queue_purge("outside.mons"),
        lambda channel: channel.queue_delete("outside.tournai"),
        lambda channel: channel.exchange_delete(topology.EVENTS),
    ):
        assert refused(action)
    several = [pika.BlockingConnection(mine) for _ in range(4)]
    with pytest.raises((pika.exceptions.AMQPConnectionError, pika.exceptions.ConnectionClosedByBroker)):
        pika.BlockingConnection(mine)
    method, _, body = several[0].channel().basic_get("outside.tournai")
    assert (method.routing_key, body) == ("outside.tournai", b"{}")

    administrate(*revoke("tournai"))
    for connection in several:
        with pytest.raises(pika.exceptions.AMQPError):
            until("its connections end", lambda connection=connection: connection.process_data_events(0.1))
    with pytest.raises(pika.exceptions.AMQPError):
        pika.BlockingConnection(mine)
    assert private_bus.depth("outside.tournai") == 1, "what it did not acknowledge is not lost"
