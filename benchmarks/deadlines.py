"""Many deadlines due at one instant among many more, from due to published, against other schedulers."""

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from apscheduler.events import EVENT_JOB_EXECUTED
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from benchmarks import peers
from benchmarks.consuming import celery_worker
from benchmarks.finding import Finding
from benchmarks.ground import Ground, ground
from espace.bus import topology
from espace.clock import utcnow

DUE, PENDING = 100_000, 900_000
JOBS, WAITING_JOBS = 1_000, 9_000
TASKS = 3_000
IDLE_SECONDS = 30
QUEUE = topology.queue("dossier")
_SEED = """
    INSERT INTO deadlines (id, version, owner, state, kind, due_at, event_id)
    SELECT gen_random_uuid(), 1, 'dossier', 'kept', 'bench', %(first)s + %(each)s * n, gen_random_uuid()
    FROM generate_series(1, %(count)s) n
"""


def run() -> Iterator[Finding]:
    """The scheduler's real worker first idle, then with everything due; then the others."""
    with ground("postgres", "rabbitmq", "scheduler-worker") as at:
        at.stack.part("scheduler-worker").stop()
        _seed(at, at.stack.legal.now() + timedelta(days=1), timedelta(minutes=1), PENDING)
        with at.worker("scheduler", "tick", "relay", "consume", "report") as process:
            yield _idle(process.pid)
        with at.worker("scheduler", "tick", "relay"):
            ours, late = _fired(at)
        yield Finding(
            what=f"{DUE:,} deadlines due at one instant among {DUE + PENDING:,}, published/s",
            ours=ours,
            goal=8_000,
            why=f"all published {late:.1f} s after the instant",
        )
        yield Finding(
            what="deadlines published/s",
            ours=ours,
            peer=_apscheduler(at),
            peer_name=f"APScheduler 3, SQL store, an empty job ({JOBS:,} of {JOBS + WAITING_JOBS:,})",
            goal=7,
        )
        yield Finding(
            what="deadlines published/s",
            ours=ours,
            peer=_celery(at),
            peer_name=f"Celery with eta, an empty task ({TASKS:,})",
        )


def _seed(at: Ground, first: datetime, each: timedelta, count: int) -> None:
    with at.connect("scheduler") as connection:
        connection.execute(_SEED, {"first": first, "each": each, "count": count})
        connection.execute("VACUUM ANALYZE deadlines")


def _idle(pid: int) -> Finding:
    process = psutil.Process(pid)
    time.sleep(5)  # what it does at its start is not idling
    before = sum(process.cpu_times()[:2])
    time.sleep(IDLE_SECONDS)
    share = (sum(process.cpu_times()[:2]) - before) / IDLE_SECONDS
    return Finding(
        what=f"the scheduler's worker idle with {PENDING:,} deadlines, % of a core",
        ours=100 * share,
        goal=1,
        at_most=True,
    )


def _fired(at: Ground) -> tuple[float, float]:
    """How many a second from the instant on, and how many seconds it took."""
    at.empty(QUEUE)
    due = at.stack.legal.now() + timedelta(seconds=20)
    _seed(at, due, timedelta(), DUE)
    if at.stack.legal.now() >= due:
        raise RuntimeError("seeding took longer than the instant was away")
    with at.connect("scheduler") as connection:

        def fired() -> bool:
            row = connection.execute("SELECT count(*) FROM event_log").fetchone()
            return row == (DUE,)

        def published() -> bool:
            return connection.execute("SELECT max(position) FROM outbox").fetchone() == (None,)

        at.await_("all fired", fired, every=0.2)
        at.await_("all published", published)
    took = (at.stack.legal.now() - due).total_seconds()
    at.expect(QUEUE, DUE)
    at.empty(QUEUE)
    return DUE / took, took


def _apscheduler(at: Ground) -> float:
    """Jobs a second, from their common instant to the last one's end."""
    done, count = threading.Event(), 0

    def on_end(_event: object) -> None:
        nonlocal count
        count += 1
        if count == JOBS:
            done.set()

    scheduler: Any = BackgroundScheduler(
        jobstores={"default": SQLAlchemyJobStore(url=at.stack.database_url("scheduler"))}, timezone="UTC"
    )
    scheduler.start(paused=True)
    due = utcnow() + timedelta(seconds=60)
    for number in range(JOBS + WAITING_JOBS):
        instant = due if number < JOBS else due + timedelta(days=1, minutes=number)
        scheduler.add_job(nothing, "date", run_date=instant, misfire_grace_time=None)
    scheduler.add_listener(on_end, EVENT_JOB_EXECUTED)
    began = max(utcnow(), due)
    scheduler.resume()
    if not done.wait(180):
        raise RuntimeError(f"{count} of {JOBS} jobs ran")
    took = (utcnow() - began).total_seconds()
    scheduler.shutdown()
    return JOBS / took


def nothing() -> None:
    """The empty job."""


def _celery(at: Ground) -> float:
    """Tasks a second, from their common instant to the last one's end."""
    app = peers.application(at.amqp_url, queue=peers.CLASSIC)
    ran = Path(at.stack.folder) / "celery-ran"
    ran.touch()
    due = utcnow() + timedelta(seconds=20)
    with celery_worker(at, "prefork", peers.CLASSIC, concurrency=2) as process:
        for _ in range(TASKS):
            app.signature("bench.tell").apply_async((str(ran),), eta=due)
        began = max(utcnow(), due)
        at.await_("all tasks", lambda: ran.stat().st_size == TASKS, process)
    return TASKS / (utcnow() - began).total_seconds()
