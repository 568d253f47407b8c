"""A worker: loops that run for ever, each in a thread, and what they report."""

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
from espace.telemetry.metrics import LOOP_ERRORS, LOOP_LAST_TICK

log = get_logger()
DRAIN_SECONDS = 25.0
LONGEST_PAUSE_SECONDS = 15.0


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
                if not more:
                    stop.wait(self._idle_seconds)
        finally:
            if self._leader is not None:
                self._leader.resign()


def tick(name: str) -> None:
    """Report that the loop ``name`` made a turn."""
    LOOP_LAST_TICK.labels(name).set_to_current_time()


def run(
    loops: Sequence[Loop], database: Database, package: str, *, host: str = "127.0.0.1", port: int = 0
) -> int:
    """Run ``loops`` until SIGTERM or SIGINT; the process's exit status.

    Args:
        package: whose migrations the database needs for ``/readyz``.
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
    server = _serve(host, port, threads, database, Revision(database, package)) if port else None
    for thread in threads:
        thread.start()
    log.info("program.started", loops=[loop.name for loop in loops], port=port)
    while not stop.wait(3600):
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


def _serve(
    host: str, port: int, threads: Sequence[threading.Thread], database: Database, revision: Revision
) -> WSGIServer:
    metrics = make_wsgi_app()

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            answer: Iterable[bytes] = metrics(environ, start_response)
            return answer
        status, text = "200 OK", b"ok\n"
        if environ["PATH_INFO"] not in ("/livez", "/readyz"):
            status, text = "404 Not Found", b"not found\n"
        elif not all(thread.is_alive() for thread in threads):
            status, text = "503 Service Unavailable", b"a loop is not running\n"
        elif environ["PATH_INFO"] == "/readyz":
            try:
                database.ping()
                revision.check()
            except SQLAlchemyError:
                status, text = "503 Service Unavailable", b"the database does not answer\n"
            except MigrateFirst as error:
                status, text = "503 Service Unavailable", f"{error}\n".encode()
        start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(text)))])
        return [text]

    server = make_server(host, port, app, server_class=_Server, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, name="probes", daemon=True).start()
    return server
