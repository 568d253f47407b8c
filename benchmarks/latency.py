"""How long an event travels: from the commit in one service to the commit in its consumer."""

import time
from collections.abc import Iterator
from functools import partial

import psutil

from benchmarks.finding import Finding
from benchmarks.ground import Ground, ground
from benchmarks.turns import percentile
from espace.bus import Event
from espace.db import Database
from espace_stack.servers import together
from shared.tests.bus.facts import a_fact

RATE, SECONDS = 200, 25
WRITERS = 2
WARM = 2 * RATE
"""Events that do not count: the first ones find cold connections and statements not prepared."""
_COMMITTED = "extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8"


def run() -> Iterator[Finding]:
    """Real workers: dossier's relay, the scheduler's consumer. Instants are those of PostgreSQL's commits."""
    with ground("postgres", "rabbitmq", "dossier-worker", "scheduler-worker") as at:
        for name in ("dossier-worker", "scheduler-worker"):
            at.stack.part(name).stop()
        at.remember_commits()
        with at.worker("dossier", "relay") as relay, at.worker("scheduler", "consume") as consumer:
            workers = [psutil.Process(process.pid) for process in (relay, consumer)]
            before = [sum(worker.cpu_times()[:2]) for worker in workers]
            rate = _write(at)
            count = RATE * SECONDS
            at.await_(
                "all events applied",
                lambda: at.rows("scheduler", "SELECT count(*) FROM inbox") == [(count,)],
                seconds=60,
                every=0.5,
            )
            after = [sum(worker.cpu_times()[:2]) for worker in workers]
        took = _journeys(at)
    if len(took) != count or min(took) <= 0:
        raise RuntimeError(f"{len(took)} journeys of {count}, the shortest {min(took)} s")
    measured = sorted(took[WARM:])
    cost = [1000 * (late - early) / count for early, late in zip(before, after, strict=True)]
    why = (
        f"{len(measured)} events at {rate:.0f}/s, longest {1000 * measured[-1]:.0f} ms; processor time of "
        f"each: relay {cost[0]:.1f} ms, consumer {cost[1]:.1f} ms"
    )
    what = "commit in dossier to commit in the scheduler at 200 events/s"
    for part, goal in ((0.5, 20), (0.99, 80)):
        value = 1000 * percentile(measured, part)
        yield Finding(what=f"{what}, p{part * 100:.0f} ms", ours=value, goal=goal, at_most=True, why=why)


def _write(at: Ground) -> float:
    """A transaction for each event, evenly spaced; how many a second there were."""
    database = Database(at.stack.database_url("dossier"), pool_size=WRITERS, application_name="bench")
    began = time.monotonic()

    def write(writer: int) -> None:
        for number in range(writer, RATE * SECONDS, WRITERS):
            event: Event = a_fact()
            time.sleep(max(0.0, began + number / RATE - time.monotonic()))
            with database.transaction() as unit:
                unit.record(event)

    together(partial(write, writer) for writer in range(WRITERS))
    database.dispose()
    return RATE * SECONDS / (time.monotonic() - began)


def _journeys(at: Ground) -> list[float]:
    """Seconds of each event, in the order of their writing."""
    written = at.rows(
        "dossier",
        f"SELECT id, {_COMMITTED} FROM event_log ORDER BY position",
    )
    applied = dict(at.rows("scheduler", f"SELECT event_id, {_COMMITTED} FROM inbox"))
    return [applied[event_id] - at_ for event_id, at_ in written]
