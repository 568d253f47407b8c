"""The relay: from rows in the outbox to messages confirmed in a quorum queue, against other publishers."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from benchmarks import peers, publishing
from benchmarks.finding import Finding
from benchmarks.ground import Ground, ground
from benchmarks.turns import in_turns
from espace.bus import Event, topology
from espace.bus.event import encode, envelope, routing_key

TYPE = "be.espace.dossier.deadline_set.v1"
KEY, QUEUE = routing_key(TYPE), topology.queue("scheduler")
MANY, FEW = 30_000, 1_500
SIZE = 700
_FILL = """
    WITH logged AS (
        INSERT INTO event_log (id, type, subject, version, time, data, request_id)
        SELECT gen_random_uuid(), %(type)s, gen_random_uuid(), 1, clock_timestamp(), %(data)s::jsonb,
            %(request)s
        FROM generate_series(1, %(count)s) RETURNING position
    ) INSERT INTO outbox (position) SELECT position FROM logged
"""


def run() -> Iterator[Finding]:
    """Publishers in turns, all to the same broker."""
    with ground("postgres", "rabbitmq", "dossier-worker") as at:
        at.stack.part("dossier-worker").stop()
        sure = peers.nothing_in(peers.application(at.amqp_url))
        unsure = peers.nothing_in(peers.application(at.amqp_url, confirms=False))
        with at.worker("dossier", "relay"):
            _relayed(at, 2_000)
            found = in_turns(
                {
                    "relay": lambda: _relayed(at, MANY),
                    "pika": lambda: _checked(
                        at, MANY, publishing.Pipelined(at.amqp_url, topology.EVENTS, KEY, MANY).rate()
                    ),
                    "kombu": lambda: _checked(
                        at, FEW, publishing.one_by_one(at.amqp_url, topology.EVENTS, KEY, FEW)
                    ),
                    "sure": lambda: _delayed(at, sure, FEW),
                    "unsure": lambda: _delayed(at, unsure, 4 * FEW),
                }
            )
    what = "relay: outbox to confirmed in a quorum queue, 700 B, events/s"
    for name, peer_name, goal in (
        ("pika", "raw pika, pipelined confirms", 0.6),
        ("kombu", "kombu, a confirm each", 8),
        ("sure", "Celery delay with confirms", 12),
        ("unsure", "Celery delay without", 3),
    ):
        yield Finding(what=what, ours=found["relay"], peer=found[name], peer_name=peer_name, goal=goal)


def fill(at: Ground, count: int) -> None:
    """Put events into dossier's outbox, in one transaction, so that their bodies have ``SIZE`` bytes."""
    with at.connect("dossier") as connection:
        connection.execute(
            _FILL, {"type": TYPE, "data": json.dumps(_data()), "request": str(uuid4()), "count": count}
        )


def _data() -> dict[str, str]:
    bare = Event(type=TYPE, subject=str(uuid4()), version=1, data={"padding": ""})
    frame = len(encode(envelope(bare, service="dossier", request_id=str(uuid4()))))
    return {"padding": "x" * (SIZE - frame)}


def _relayed(at: Ground, count: int) -> float:
    """From the commit that fills the outbox to the empty outbox, by the database's clock."""
    at.empty(QUEUE)
    fill(at, count)
    with at.connect("dossier") as connection:

        def instant() -> float:
            row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float").fetchone()
            assert row is not None
            return float(row[0])

        def done() -> bool:
            # The last place by its index: to count what is left would slow down what is measured.
            row = connection.execute("SELECT max(position) FROM outbox").fetchone()
            return row == (None,)

        began = instant()
        at.await_("an empty outbox", done)
        took = instant() - began
    return _checked(at, count, count / took)


def _checked(at: Ground, count: int, rate: float) -> float:
    at.expect(QUEUE, count)
    at.empty(QUEUE)
    return rate


def _delayed(at: Ground, task: Any, count: int) -> float:
    rate = publishing.delayed(task, count)
    at.expect(peers.QUORUM, count + 1)
    at.empty(peers.QUORUM)
    return rate
