"""A worker: loops that run for ever, each in a thread, and what they report.

**Alive** means that every loop makes its turns: one that has made none for ten minutes, and one whose thread
has ended, turn ``/livez`` to 503. A loop that has a reason to wait (an idle job, a leader's follower, an
outage) calls :func:`tick` while it waits, so that only what is stuck is silent.
"""

import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from socketserver import ThreadingMixIn
from types import FrameType
from typing import Any, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import make_wsgi_app
from sqlalchemy.exc import SQLAlchemyError

from espace.db import Database, MigrateFirst, Revision
from espace.db.leader import Leader
from espace.telemetry import get_logger
from espace.telemetry.metrics import LAST_SUCCESS, LOOP_ERRORS, LOOP_LAST_TICK

log = get_logger()
DRAIN_SECONDS = 25.0
LONGEST_PAUSE_SECONDS = 15.0
TICK_SECONDS = 30.0
"""How often a loop that waits says that it does."""
SILENT_SECONDS = 600.0
_turns: dict[str, float] = {}


class Stop:
    """The wish that a loop ends; loops look at it between two pieces of work and wait on it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask every loop to end after the work in hand."""
        self._event.set()

    def is_set(self) -> bool:
        """Whether to end."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Pause, no longer than until the stop; whether to end."""
        return self._event.wait(seconds)


class Loop(Protocol):
    """Something that runs until it is stopped. If ``run`` raises, it is started again after a pause."""

    @property
    def name(self) -> str:
        """What the command line and the metrics call it."""

    def run(self, stop: Stop) -> None:
        """Work until ``stop``; finish what is in hand; call :func:`tick` at each turn."""


class Periodic:
    """A loop that repeats one step.

    Args:
        step: does a bounded piece of work; True means there may be more, so it is called again at once.
        idle_seconds: the pause after a step that found nothing.
        leader_of: step only in the one process that leads this loop on this database.
    """

    def __init__(
        self, name: str, step: Callable[[], bool], idle_seconds: float, leader_of: Database | None = None
    ) -> None:
        self._name = name
        self._step = step
        self._idle_seconds = idle_seconds
        self._leader = Leader(leader_of.url, name) if leader_of is not None else None

    @property
    def name(self) -> str:
        return self._name

    def run(self, stop: Stop) -> None:
        try:
            while not stop.is_set():
                leads = self._leader is None or self._leader.lead()
                more = leads and self._step()
                tick(self._name)
                if leads:
                    LAST_SUCCESS.labels(self._name).set_to_current_time()
                if not more:
                    pause(stop, self._idle_seconds, self._name)
        finally:
            if self._leader is not None:
                self._leader.resign()


def tick(name: str) -> None:
    """Report that the loop ``name`` made a turn, or waits and knows what for."""
    _turns[name] = time.monotonic()
    LOOP_LAST_TICK.labels(name).set_to_current_time()
    LOOP_ERRORS.labels(name)  # exists at zero: the first failure can then be seen as a change


def pause(stop: Stop, seconds: float, name: str) -> None:
    """Let the loop ``name`` wait, however long, without falling silent."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and not stop.wait(min(left, TICK_SECONDS)):
        tick(name)


def run(
    loops: Sequence[Loop],
    database: Database | None = None,
    package: str = "",
    *,
    host: str = "127.0.0.1",
    port: int = 0,
) -> int:
    """Run ``loops`` until SIGTERM or SIGINT; the process's exit status.

    Args:
        database: what ``/readyz`` asks; a program without one is ready when it is alive.
        package: whose migrations that database needs.
        port: where ``/livez``, ``/readyz`` and ``/metrics`` are served; 0 serves nothing.
    """
    stop = Stop()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    threads = [
        threading.Thread(target=_supervise, args=(loop, stop), name=loop.name, daemon=True) for loop in loops
    ]
    for loop in loops:
        tick(loop.name)

    def trouble(path: str) -> str:
        """Why the answer to a probe is no; empty when it is yes."""
        if not all(thread.is_alive() for thread in threads):
            return "a loop is not running"
        since = time.monotonic() - SILENT_SECONDS
        if silent := [loop.name for loop in loops if _turns[loop.name] < since]:
            return f"no turn for {SILENT_SECONDS:.0f} seconds: {', '.join(silent)}"
        return _unready(database, revision) if database and revision and path == "/readyz" else ""

    revision = Revision(database, package) if database else None
    if database:
        database.report_pool()
    server = _serve(host, port, trouble) if port else None
    for thread in threads:
        thread.start()
    log.info("program.started", loops=[loop.name for loop in loops], port=port)
    # A signal that comes between Python's look for it and the sleep is seen only when that ends.
    while not stop.wait(1):
        pass
    log.info("program.stopping")
    deadline = time.monotonic() + DRAIN_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if server is not None:
        server.shutdown()
        server.server_close()
    stuck = [thread.name for thread in threads if thread.is_alive()]
    log.info("program.stopped", stuck=stuck)
    return 1 if stuck else 0


def _supervise(loop: Loop, stop: Stop) -> None:
    """Keep one loop running whatever it raises."""
    pause = 0.5
    while not stop.is_set():
        started = time.monotonic()
        try:
            loop.run(stop)
        except Exception as error:
            tick(loop.name)
            LOOP_ERRORS.labels(loop.name).inc()
            log.exception("loop.failed", loop=loop.name, error=error)
            if time.monotonic() - started > 2 * LONGEST_PAUSE_SECONDS:
                pause = 0.5
            stop.wait(pause)
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)
    log.info("loop.finished", loop=loop.name)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    timeout = 10  # a client that says nothing keeps no thread

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class names it so
        """Say nothing: probes come every few seconds."""


def _unready(database: Database, revision: Revision) -> str:
    try:
        database.ping()
        revision.check()
    except SQLAlchemyError:
        return "the database does not answer"
    except MigrateFirst as error:
        return str(error)
    return ""


def _serve(host: str, port: int, trouble: Callable[[str], str]) -> WSGIServer:
    metrics = make_wsgi_app()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            answer: Iterable[bytes] = metrics(environ, start_response)
            return answer
        status, text = "200 OK", "ok"
        if path not in ("/livez", "/readyz"):
            status, text = "404 Not Found", "not found"
        elif reason := trouble(path):
            status, text = "503 Service Unavailable", reason
        body = f"{text}\n".encode()
        start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]

    server = make_server(host, port, app, server_class=_Server, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, name="probes", daemon=True).start()
    return server
