"""Celery as a peer: the same promises where it has them. Also imported by its worker.

Addresses come from ``BENCH_AMQP_URL`` and ``BENCH_DATABASE_URL``.
"""

import os
import uuid
from functools import cache
from pathlib import Path
from typing import Any

from celery import Celery
from kombu.entity import Queue
from sqlalchemy import Engine, create_engine, text

QUORUM, CLASSIC = "bench-celery", "bench-celery-classic"
_queue: Any = Queue
INBOX = text("INSERT INTO bench_celery_inbox (id) VALUES (:id) ON CONFLICT DO NOTHING RETURNING id")
ROW = text("INSERT INTO bench_celery_rows (event_id) VALUES (:id)")
TABLES = """
    CREATE TABLE bench_celery_inbox (
        id uuid PRIMARY KEY, received_at timestamptz NOT NULL DEFAULT clock_timestamp());
    CREATE TABLE bench_celery_rows (event_id uuid NOT NULL)
"""


def application(broker: str, *, confirms: bool = True, queue: str = QUORUM) -> Celery:
    """Acknowledges late, so that a killed worker loses nothing, as ours does not."""
    kind = {"x-queue-type": "quorum"} if queue == QUORUM else {}
    app = Celery("bench", broker=broker, set_as_current=False)
    app.conf.update(
        task_queues=[_queue(queue, routing_key=queue, queue_arguments=kind)],
        task_default_queue=queue,
        task_ignore_result=True,
        task_acks_late=True,
        worker_prefetch_multiplier=5,
        worker_enable_remote_control=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"confirm_publish": True} if confirms else {},
    )
    return app


app = application(os.environ.get("BENCH_AMQP_URL", "amqp://"), queue=os.environ.get("BENCH_QUEUE", QUORUM))


def nothing_in(of: Celery) -> Any:
    """A task that only has to travel."""

    def nothing(_body: str) -> None:
        """Nothing."""

    return of.task(name="bench.nothing")(nothing)


nothing = nothing_in(app)


@app.task(name="bench.work")  # type: ignore[untyped-decorator]
def work(event_id: str, _body: str) -> None:
    """What our consumer does: the event's id and one business row in one transaction."""
    with _engine().begin() as connection:
        if connection.execute(INBOX, {"id": uuid.UUID(event_id)}).first() is not None:
            connection.execute(ROW, {"id": uuid.UUID(event_id)})


@app.task(name="bench.tell")  # type: ignore[untyped-decorator]
def tell(file: str) -> None:
    """An empty job, but for one byte by which it can be counted."""
    descriptor = os.open(Path(file), os.O_APPEND | os.O_WRONLY)
    os.write(descriptor, b".")
    os.close(descriptor)


@cache
def _engine() -> Engine:
    return create_engine(os.environ["BENCH_DATABASE_URL"], pool_size=4, max_overflow=0)
