"""Loops: they run for ever, whatever they raise, and end when asked."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from espace.db import Database
from espace.testing import until
from espace.worker import Periodic, Stop

PROGRAM = """
import sys
from espace import worker
from espace.db import Database
from espace.worker import Periodic

turns = 0

def step():
    global turns
    turns += 1
    if turns == 1:
        raise ValueError("the first turn fails")
    return False

database, package = Database(sys.argv[1]), "deadline_scheduler_service"
sys.exit(worker.run([Periodic("turn", step, 0.05)], database, package, port=int(sys.argv[2])))
"""


def test_a_step_with_more_to_do_is_called_again_at_once() -> None:
    left, stop = [3], Stop()

    def step() -> bool:
        left[0] -= 1
        if left[0] == 0:
            stop.set()
        return True

    Periodic("turn", step, idle_seconds=1000).run(stop)
    assert left == [0]


def test_a_pause_ends_with_the_stop() -> None:
    stop = Stop()
    thread = threading.Thread(target=Periodic("turn", lambda: False, idle_seconds=1000).run, args=(stop,))
    thread.start()
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


@pytest.fixture
def port(tmp_path: Path) -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_failed_loop_is_counted_and_started_again_and_a_stop_drains(
    fresh_database: Callable[[str], str], port: int
) -> None:
    url = fresh_database("deadline_scheduler_service")
    database = Database(url)
    _set_revision(database, "0000")
    worker = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, url, str(port)], stdout=subprocess.DEVNULL, env={**os.environ}
    )
    try:
        metrics = until("a turn of the loop", lambda: _metrics_of_a_turn(port))
        assert 'espace_loop_errors_total{loop="turn"} 1.0' in metrics
        assert httpx.get(f"http://127.0.0.1:{port}/livez").status_code == 200
        unready = httpx.get(f"http://127.0.0.1:{port}/readyz")
        assert (unready.status_code, unready.text[:13]) == (503, "migrate first")
        _set_revision(database, "9999")
        assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
        assert httpx.get(f"http://127.0.0.1:{port}/other").status_code == 404
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    finally:
        worker.kill()
        worker.wait()
        database.dispose()


def _set_revision(database: Database, revision: str) -> None:
    with database.transaction() as unit:
        unit.session.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})


def _metrics_of_a_turn(port: int) -> str | None:
    try:
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    except httpx.TransportError:
        return None
    return metrics if 'espace_loop_last_tick_timestamp_seconds{loop="turn"}' in metrics else None


def test_a_program_names_every_missing_variable() -> None:
    started = subprocess.run(
        [sys.executable, "-m", "deadline_scheduler_service", "worker"],
        env={"PATH": os.environ["PATH"], "ESPACE_PUBLIC_URL": "http://localhost"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 2
    for name in ("ESPACE_DATABASE_URL", "ESPACE_AMQP_URL", "ESPACE_IDENTITY_URL", "ESPACE_CLIENT_SECRET"):
        assert name in started.stderr


def test_a_migration_says_what_became_of_it(fresh_database: Callable[[str], str]) -> None:
    def migrate(url: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "deadline_scheduler_service", "migrate"],
            env={"PATH": os.environ["PATH"], "ESPACE_DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
        line = json.loads(done.stdout.splitlines()[-1])
        return done.returncode, line["event"]

    assert migrate(fresh_database("deadline_scheduler_service")) == (0, "migration.applied")
    assert migrate("postgresql+psycopg://nobody@127.0.0.1:1/none") == (1, "program.failed")


STUCK = """
import sys, threading
from espace import worker
from espace.worker import Periodic

worker.SILENT_SECONDS, worker.TICK_SECONDS = 2.0, 0.1
idle = Periodic("idle", lambda: False, 1000)
stuck = Periodic("stuck", threading.Event().wait, 1000)
worker.run([idle, stuck], port=int(sys.argv[1]))
"""


def test_a_loop_that_makes_no_turn_is_dead_and_one_that_waits_is_not(port: int) -> None:
    worker = subprocess.Popen([sys.executable, "-c", STUCK, str(port)], stdout=subprocess.DEVNULL)
    try:
        until("the first answer", lambda: _live(port) is not None)
        until("the end of patience", lambda: (_live(port) or "").startswith("no turn"))
        assert _live(port) == "no turn for 2 seconds: stuck\n"
    finally:
        worker.kill()
        worker.wait()


def _live(port: int) -> str | None:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/livez").text
    except httpx.TransportError:
        return None


MISSED = """
import signal, sys, threading
from espace import worker

class Loop:
    name = "turn"

    def run(self, stop):
        stop.wait(2)  # the main thread is asleep by now
        # Taken by this thread, it wakes that one no more than a signal that came just before its sleep.
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        stop.wait(1000)

sys.exit(worker.run([Loop()]))
"""


def test_a_signal_that_wakes_nobody_ends_the_program_all_the_same() -> None:
    ended = subprocess.run([sys.executable, "-c", MISSED], stdout=subprocess.DEVNULL, check=False, timeout=60)
    assert ended.returncode == 0


def test_a_worker_imports_no_flask() -> None:
    code = "import sys, deadline_scheduler_service.worker; sys.exit('flask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
