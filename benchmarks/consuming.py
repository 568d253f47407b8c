"""The consumer with inbox and one business row, against a raw consumer and against Celery's worker."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pika
from celery import Celery

from benchmarks import effects, peers
from benchmarks.finding import Finding
from benchmarks.ground import Ground, ground
from benchmarks.turns import in_turns
from espace.bus import topology
from espace.bus.event import encode, envelope
from shared.tests.bus.facts import a_fact

QUEUE = topology.queue("scheduler")
MANY = 4_000
OF_CELERY = 1_500
PREFETCH = 20
PADDING = "x" * 500
_SPAN = """
    SELECT count(*), extract(epoch FROM max(received_at) - min(received_at))::float8 FROM {}
"""


def run() -> Iterator[Finding]:
    """All waits in the queue before a consumer starts; the clock runs from the first row to the last."""
    with ground("postgres", "rabbitmq", "scheduler-worker") as at:
        at.stack.part("scheduler-worker").stop()
        with at.connect("scheduler") as connection:
            connection.execute(effects.TABLE)
            connection.execute(peers.TABLES.encode())
        app = peers.application(at.amqp_url)
        found = in_turns(
            {
                "ours": lambda: _ours(at),
                "raw": lambda: _raw(at),
                "prefork": lambda: _celery(at, app, "prefork"),
                "threads": lambda: _celery(at, app, "threads"),
            },
            rounds=2,
        )
    what = "consumer: inbox and one business row, events/s"
    yield Finding(what=what, ours=found["ours"], peer=found["raw"], peer_name="raw pika without a database")
    for pool in ("prefork", "threads"):
        yield Finding(
            what=what,
            ours=found["ours"],
            peer=found[pool],
            peer_name=f"Celery, the same work, four {pool}",
            goal=3,
        )


def _ours(at: Ground) -> float:
    _fill(at)
    environment = at.stack.env("scheduler-worker")
    with at.program("effects", ["-m", "benchmarks.effects"], environment) as process:
        _await_rows(at, "bench_rows", MANY, process)
    rate = _rate(at, "inbox", "bench_rows", MANY)
    at.expect(QUEUE, 0)
    return rate


def _fill(at: Ground) -> None:
    at.empty(QUEUE)
    with at.channel() as channel:
        properties = pika.BasicProperties(delivery_mode=2)
        for _ in range(MANY):
            document = envelope(a_fact(), service="dossier") | {"padding": PADDING}
            channel.basic_publish("", QUEUE, encode(document), properties)
    at.expect(QUEUE, MANY)


def _raw(at: Ground) -> float:
    """pika's fastest way with an acknowledgement for each message, one process, nothing done."""
    _fill(at)
    taken, began = 0, 0.0
    with at.channel() as channel:
        channel.basic_qos(prefetch_count=PREFETCH)
        for method, _properties, _body in channel.consume(QUEUE):
            began = began or time.monotonic()
            channel.basic_ack(method.delivery_tag)
            taken += 1
            if taken == MANY:
                break
        took = time.monotonic() - began
        channel.cancel()
    at.expect(QUEUE, 0)
    return MANY / took


def _celery(at: Ground, app: Celery, pool: str) -> float:
    task = app.signature("bench.work")
    sent = [a_fact() for _ in range(OF_CELERY)]
    for event in sent:
        task.apply_async((str(event.id), PADDING))
    at.expect(peers.QUORUM, OF_CELERY)
    with celery_worker(at, pool, peers.QUORUM) as process:
        _await_rows(at, "bench_celery_rows", OF_CELERY, process)
    rate = _rate(at, "bench_celery_inbox", "bench_celery_rows", OF_CELERY)
    at.expect(peers.QUORUM, 0)
    return rate


@contextmanager
def celery_worker(at: Ground, pool: str, queue: str, concurrency: int = 4) -> Iterator[Any]:
    """Celery's worker on the scheduler's database, with nothing it can do without."""
    lean = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING"]
    command = ["-m", "celery", "-A", "benchmarks.peers", "worker", *lean]
    command += [f"--pool={pool}", f"--concurrency={concurrency}"]
    environment = {
        "BENCH_AMQP_URL": at.amqp_url,
        "BENCH_DATABASE_URL": at.stack.database_url("scheduler"),
        "BENCH_QUEUE": queue,
        "PYTHONPATH": ":".join(sys.path),
    }
    with at.program(f"celery-{pool}", command, environment) as process:
        yield process


def _await_rows(at: Ground, table: str, count: int, process: Any) -> None:
    with at.connect("scheduler") as connection:
        query = f"SELECT count(*) FROM {table}".encode()
        at.await_(
            f"{count} rows in {table}",
            lambda: connection.execute(query).fetchone() == (count,),
            process,
            every=0.25,
        )


def _rate(at: Ground, inbox: str, rows: str, count: int) -> float:
    """From the first inbox row to the last; both tables are empty afterwards."""
    ((found, took),) = at.rows("scheduler", _SPAN.format(inbox))
    if found != count:
        raise RuntimeError(f"{found} of {count} in {inbox}")
    with at.connect("scheduler") as connection:
        connection.execute(f"TRUNCATE {inbox}, {rows}".encode())
    return count / float(took)
