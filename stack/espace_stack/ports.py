"""Ports: the wanted one when it is free, otherwise another, remembered in the stack's folder."""

import json
import random
import socket
import threading
from collections.abc import Iterable
from pathlib import Path

_RANGE = range(15000, 32000)
"""Below the kernel's range for outgoing connections, which could take a port between choice and use."""

_chosen: set[int] = set()
_lock = threading.Lock()


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` of the loopback address now."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def answers(port: int, host: str = "127.0.0.1") -> bool:
    """Whether something accepts connections on ``port`` now."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((host, port)) == 0


def free_port(taken: Iterable[int] = ()) -> int:
    """A free loopback port, none of ``taken``, that this process has not given out before."""
    with _lock:
        while True:
            port = random.SystemRandom().choice(_RANGE)
            if port not in _chosen and port not in taken and is_free(port):
                _chosen.add(port)
                return port


class Ports:
    """The stack's ports by name, kept in one file: every command, now and later, finds the same."""

    def __init__(self, file: Path, wanted: dict[str, int] | None = None) -> None:
        self._file = file
        self._wanted = wanted or {}
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> int:
        with self._lock:
            ports = self._read()
            if name not in ports:
                wanted = self._wanted.get(name)
                good = wanted is not None and wanted not in ports.values() and is_free(wanted)
                ports[name] = wanted if wanted is not None and good else free_port(ports.values())
                self._write(ports)
            return ports[name]

    def move(self, name: str) -> None:
        """Forget the port of ``name``: someone else has taken it while the part was down."""
        with self._lock:
            ports = self._read()
            ports.pop(name, None)
            self._write(ports)

    def fix(self, name: str, port: int) -> None:
        """Give ``port`` to ``name`` from now on; another name that has had it gets another."""
        with self._lock:
            others = {other: held for other, held in self._read().items() if held != port}
            self._write({**others, name: port})

    def _read(self) -> dict[str, int]:
        ports: dict[str, int] = json.loads(self._file.read_text()) if self._file.exists() else {}
        return ports

    def _write(self, ports: dict[str, int]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(".new")
        temporary.write_text(json.dumps(ports, indent=1))
        temporary.replace(self._file)
