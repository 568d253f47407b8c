"""What every part of the stack has in common: start, wait until ready, stop, kill, pause, resume."""

import hashlib
import json
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from espace_stack.given import port_variable
from espace_stack.ports import Ports, is_free
from espace_stack.process import Process, base_environment


class FailedPart(Exception):
    """A part did not start or do what it was asked; the message names it and shows the end of its log.

    A server that is not ours has no log here.
    """

    def __init__(self, name: str, reason: str, end_of_log: str = "", log: Path | None = None) -> None:
        shown = f"\n--- the end of {log} ---\n{end_of_log}" if log else ""
        super().__init__(f"{name}: {reason}{shown}")
        self.name = name


class Part:
    """A server or program of the stack, living in ``folder`` (shared with the other parts of the stack).

    Subclasses say what to run and how to see that it is ready.
    """

    as_server = False
    start_seconds = 60.0
    stop_signal = signal.SIGTERM
    stop_seconds = 25.0
    port_names: tuple[str, ...] = ()

    def __init__(self, name: str, folder: Path, ports: Ports) -> None:
        self.name = name
        self.folder = folder
        self.ports = ports
        self.process = Process(folder / "run" / f"{name}.json", folder / "logs" / f"{name}.log")

    def command(self) -> list[str]:
        """The command line."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Variables beside the common ones."""
        return {}

    def prepare(self) -> None:
        """Write configuration and data folders before the start."""

    def ready(self) -> bool:
        """One probe: does it answer?"""
        raise NotImplementedError

    def settle(self) -> None:
        """Once, when it has become ready."""

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self.process.alive

    def start(self) -> bool:
        """Start it unless it runs, and wait until it is ready; tells whether it was started."""
        if self.alive:
            self.wait_ready()
            return False
        self.begin()
        self.wait_ready()
        self.settle()
        return True

    @property
    def outdated(self) -> bool:
        """Whether it runs with other settings than a start would give it now."""
        return self.alive and self.process.settings != self._settings_now()

    def settle_ports(self, wanted: Mapping[str, int]) -> None:
        """Take the ``wanted`` ports (by name); and another one where someone else has taken ours.

        Raises:
            FailedPart: a wanted port is taken.
        """
        alive = self.alive
        if not alive:
            self.process.kill()  # what it has left behind would hold its ports
        for name in self.port_names:
            port = wanted.get(name)
            if alive and port in (None, self.ports[name]):
                continue
            if port is not None and not is_free(port):
                raise FailedPart(self.name, f"port {port} is taken; give another: {port_variable(name)}=…")
            if port is not None:
                self.ports.fix(name, port)
            elif not is_free(self.ports[name]):
                self.ports.move(name)

    def begin(self, *, to_terminal: bool = False) -> None:
        """Start the process without waiting; what an earlier one has left behind is ended first."""
        self.process.kill()
        self.prepare()
        self.process.spawn(
            self.command(),
            environment={**base_environment(), **self.environment()},
            as_server=self.as_server,
            folder=self.folder,
            settings=self._settings_now(),
            to_terminal=to_terminal,
        )

    def wait_ready(self) -> None:
        """Poll until it answers.

        Raises:
            FailedPart: it ended, or did not answer in time.
        """
        deadline = time.monotonic() + self.start_seconds
        while not self.ready():
            if not self.alive:
                raise self._failed("ended during its start")
            if time.monotonic() > deadline:
                raise self._failed(f"does not answer after {self.start_seconds:.0f} seconds")
            time.sleep(0.1)

    def stop(self) -> None:
        """Ask it to end and wait."""
        self.process.terminate(number=self.stop_signal, seconds=self.stop_seconds)

    def kill(self) -> None:
        """End it at once, as ``kill -9`` does, with all its processes."""
        self.process.kill()

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing answers."""
        self.process.freeze()

    def resume(self) -> None:
        """Let it go on after :meth:`pause`."""
        self.process.send(signal.SIGCONT)

    def restart(self) -> None:
        """Stop and start again."""
        self.stop()
        self.start()

    def _settings_now(self) -> str:
        """A digest of command line, variables, the secrets they name, and ports."""
        environment = self.environment()
        secrets = [
            Path(value) for value in environment.values() if value.startswith(f"{self.folder}/secrets/")
        ]
        parts = (
            self.command(),
            sorted(environment.items()),
            [hashlib.sha256(secret.read_bytes()).hexdigest() for secret in secrets],
            [self.ports[name] for name in self.port_names],
        )
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    def _failed(self, reason: str) -> FailedPart:
        return FailedPart(self.name, reason, self.process.end_of_log(), self.process.log)
