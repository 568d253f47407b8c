"""Ports: the wanted one when it is free, otherwise another, remembered in the stack's folder."""

import json
import random
import socket
import threading
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


def free_port() -> int:
    """A free loopback port that this process has not given out before."""
    with _lock:
        while True:
            port = random.SystemRandom().choice(_RANGE)
            if port not in _chosen and is_free(port):
                _chosen.add(port)
                return port


class Ports:
    """The stack's ports by name, kept in one file so that a second start finds the same."""

    def __init__(self, file: Path, wanted: dict[str, int] | None = None) -> None:
        self._file = file
        self._wanted = wanted or {}
        self._lock = threading.Lock()
        self._ports: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}

    def __getitem__(self, name: str) -> int:
        with self._lock:
            if name not in self._ports:
                wanted = self._wanted.get(name)
                self._ports[name] = wanted if wanted and is_free(wanted) else free_port()
                self._save()
            return self._ports[name]

    def move(self, name: str) -> None:
        """Forget the port of ``name``: someone else has taken it while the stack was down."""
        with self._lock:
            self._ports.pop(name, None)
            self._save()

    def _save(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(".new")
        temporary.write_text(json.dumps(self._ports, indent=1))
        temporary.replace(self._file)
