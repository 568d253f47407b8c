"""What ``python -m <service>`` does: one image, several roles.

``api`` serves HTTP, ``worker`` runs loops, ``migrate`` brings the schema up to date or waits until it is,
``openapi`` prints the API's description, ``dead-letters`` looks after what could not be handled, ``refill``
publishes once more what a lost broker held.
"""

import argparse
import ctypes
import gc
import importlib
import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from espace.config import ServiceSettings, SettingsError, load

IDLE_SECONDS = 10
"""How long a connection may wait for the next request; who keeps connections must let go of them before."""
_FACTORY = "ESPACE_PROGRAM_FACTORY"
_SETTINGS = "ESPACE_PROGRAM_SETTINGS"
_NAME = "ESPACE_PROGRAM_NAME"
_PR_SET_PDEATHSIG = 1
_SERVER_LOG = {"handlers": {}, "loggers": {"_granian": {"handlers": [], "propagate": True}}}
"""What granian says goes where everything goes."""


@dataclass(frozen=True, kw_only=True)
class DatabaseOnly:
    """The settings of a command that needs its database and nothing else."""

    database_url: str


@dataclass(frozen=True, kw_only=True)
class _BrokerOnly:
    amqp_url: str


@dataclass(frozen=True)
class Program:
    """One service's command line.

    Attributes:
        name: the service's short name.
        settings: its settings class.
        api: ``package.module:create_app``, called with the settings.
        worker: ``package.module:create_loops``, called with the settings and the database; None if the
            service has no loops.
        commands: the service's own, name → ``package.module:function``, called with what stands behind the
            name; it returns the exit status.
    """

    name: str
    settings: type[Any]
    api: str
    worker: str | None = None
    commands: Mapping[str, str] = field(default_factory=dict)

    def main(self, arguments: Sequence[str] | None = None) -> None:
        """Do what the command line says, and exit."""
        if multiprocessing.parent_process() is not None:
            return  # granian's child imports the main module again
        given = sys.argv[1:] if arguments is None else list(arguments)
        try:
            sys.exit(self._do(given))
        except SettingsError as error:
            sys.stderr.write(f"{self.name}: the environment is not complete\n{error}\n")
            sys.exit(2)

    def _do(self, given: Sequence[str]) -> int:
        if given and given[0] in self.commands:
            return int(_attribute(self.commands[given[0]])(given[1:]))
        options = self._parser().parse_args(given)
        return int(options.run(options))

    def _parser(self) -> argparse.ArgumentParser:
        own = f"and of its own: {', '.join(self.commands)}" if self.commands else None
        parser = argparse.ArgumentParser(prog=f"python -m {self._package}", epilog=own)
        commands = parser.add_subparsers(required=True, metavar="command")
        api = commands.add_parser("api", help="serve HTTP")
        api.add_argument("--host", default="127.0.0.1")
        api.add_argument("--port", type=int, required=True)
        api.add_argument("--reload", action="store_true", help="start again when the code changes")
        api.set_defaults(run=self._api)
        if self.worker is not None:
            worker = commands.add_parser("worker", help="run loops, by default all")
            worker.add_argument("loops", nargs="*", metavar="loop")
            worker.add_argument("--host", default="127.0.0.1", help="where probes and metrics are served")
            worker.set_defaults(run=self._worker)
            dead = commands.add_parser("dead-letters", help="list, show or replay what could not be handled")
            actions = dead.add_subparsers(required=True, dest="action", metavar="action")
            for action in ("list", "show", "replay"):
                one = actions.add_parser(action)
                one.add_argument("ids", nargs="*", metavar="ID", help="event ids; none means all")
                one.set_defaults(run=self._dead_letters)
            one.add_argument("--by", required=True, help="who wants it, for the log")
            one.add_argument("--dry-run", action="store_true", help="say which would be replayed")
            refill = commands.add_parser("refill", help="publish once more, after the broker was lost")
            refill.add_argument("--since", type=instant, required=True, help="what was recorded since then")
            refill.set_defaults(run=self._refill)
        migrate = commands.add_parser("migrate", help="bring the schema up to date")
        migrate.add_argument("--wait", action="store_true", help="until someone else has done so")
        migrate.set_defaults(run=self._migrate)
        commands.add_parser("openapi", help="print the API's description").set_defaults(run=self._openapi)
        return parser

    @property
    def _package(self) -> str:
        return self.api.partition(":")[0].partition(".")[0]

    def _api(self, options: argparse.Namespace) -> int:
        from granian import Granian
        from granian.constants import HTTPModes, Interfaces
        from granian.http import HTTP1Settings
        from granian.log import LogLevels

        from espace.telemetry import configure_logging

        load(self.settings)  # a missing setting is told here, once, and not by a dying child
        configure_logging(self.name, "api")
        os.environ[_NAME] = self.name
        os.environ[_FACTORY] = self.api
        os.environ[_SETTINGS] = f"{self.settings.__module__}:{self.settings.__qualname__}"
        Granian(
            "espace.program:wsgi",
            factory=True,
            address=options.host,
            port=options.port,
            interface=Interfaces.WSGI,
            http=HTTPModes.http1,
            websockets=False,
            workers=1,
            blocking_threads=4,
            workers_kill_timeout=20,
            http1_settings=HTTP1Settings(header_read_timeout=1000 * IDLE_SECONDS),
            log_level=LogLevels.warning,
            log_dictconfig=_SERVER_LOG,
            reload=options.reload,
        ).serve()
        return 0

    def _worker(self, options: argparse.Namespace) -> int:
        from espace import worker
        from espace.db import Database

        assert self.worker is not None
        settings = load(self.settings)
        _report(self.name, "worker", settings)
        database = Database(
            settings.database_url,
            pool_size=settings.database_pool_size,
            application_name=f"{self.name}-worker",
        )
        with _failure_told():
            loops = list(_attribute(self.worker)(settings, database))
        unknown = set(options.loops) - {loop.name for loop in loops}
        if unknown:
            sys.stderr.write(f"no such loop: {', '.join(sorted(unknown))}\n")
            return 2
        if options.loops:
            loops = [loop for loop in loops if loop.name in options.loops]
        _leave_alone()
        try:
            return worker.run(loops, database, self._package, host=options.host, port=settings.worker_port)
        finally:
            database.dispose()

    def _migrate(self, options: argparse.Namespace) -> int:
        from espace.db import migrations, revision
        from espace.telemetry import configure_logging, get_logger

        database_url = load(DatabaseOnly).database_url
        configure_logging(self.name, "migrate")
        if options.wait:
            asked_to_stop = threading.Event()
            # The first process of a container has no default for it.
            signal.signal(signal.SIGTERM, lambda *_: asked_to_stop.set())
            return 0 if revision.await_head(database_url, self._package, asked_to_stop.wait) else 1
        with _failure_told():
            migrations.upgrade(database_url, self._package)
        log = get_logger()
        log.info("migration.applied", revision=revision.head(self._package))
        return 0

    def _openapi(self, _options: argparse.Namespace) -> int:
        app = _attribute(self.api)(load(self.settings))
        (api,) = app.extensions["flask-smorest"]["apis"].values()
        sys.stdout.write(json.dumps(api["ext_obj"].spec.to_dict(), ensure_ascii=False, indent=2) + "\n")
        return 0

    def _dead_letters(self, options: argparse.Namespace) -> int:
        from espace.bus import dead_letters
        from espace.telemetry import configure_logging

        configure_logging(self.name, "dead-letters")
        return dead_letters.command(self.name, load(_BrokerOnly).amqp_url, options)

    def _refill(self, options: argparse.Namespace) -> int:
        from espace.bus.refill import refill
        from espace.db import Database
        from espace.telemetry import configure_logging

        configure_logging(self.name, "refill")
        database = Database(
            load(DatabaseOnly).database_url, pool_size=1, application_name=f"{self.name}-refill"
        )
        try:
            sys.stdout.write(f"{refill(database, options.since)} events are due again\n")
        finally:
            database.dispose()
        return 0


def instant(written: str) -> datetime:
    """A command line's instant, which must tell its zone: ``2026-11-26T03:00:00Z``."""
    try:
        found = datetime.fromisoformat(written)
        if found.tzinfo is not None:
            return found
    except ValueError:
        pass
    wanted = "an instant with its zone, such as 2026-11-26T03:00:00Z"
    raise argparse.ArgumentTypeError(f"{written!r} is not {wanted}")


def wsgi() -> Any:
    """The WSGI application of the program this process was started for; granian calls it in its child."""
    # If granian's parent is killed, its child must not live on and keep the port.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    settings = load(_attribute(os.environ[_SETTINGS]))
    name = os.environ[_NAME]
    _report(name, "api", settings)
    with _failure_told():
        app = _attribute(os.environ[_FACTORY])(settings)
    _leave_alone()
    return app


def _leave_alone() -> None:
    """Have the garbage collector look no more at what a program begins with, which stays until its end.

    Each full collection went through all of it, and nothing else ran in those 100 ms.
    """
    gc.collect()
    gc.freeze()


def _report(name: str, role: str, settings: ServiceSettings) -> None:
    """Have the process tell what it does: logs, metrics, traces."""
    from espace.telemetry import configure_logging, tracing
    from espace.telemetry.metrics import describe

    configure_logging(name, role, level=settings.log_level, strict=settings.environment == "test")
    describe(name, role)
    tracing.configure(
        name,
        role,
        endpoint=settings.otlp_endpoint,
        ratio=settings.trace_sample_ratio,
        environment=settings.environment,
    )


@contextmanager
def _failure_told() -> Iterator[None]:
    """Log what keeps the program from starting; the process ends with it all the same."""
    from espace.telemetry import get_logger

    log = get_logger()
    try:
        yield
    except Exception:
        log.exception("program.failed")
        raise


def _attribute(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
