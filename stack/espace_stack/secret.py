"""Secrets of a stack: made once, kept as files of mode 0600, given to programs by file name."""

import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path


class Secrets:
    """The folder of one stack's secrets."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()

    def file(self, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> Path:
        """The file of the secret ``name``, made on first use."""
        with self._lock:
            path = self._folder / name
            if not path.exists():
                self._write(path, make())
            return path

    def value(self, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> str:
        """The secret itself, made on first use."""
        return self.file(name, make).read_text()

    def keep(self, name: str, value: str) -> Path:
        """The file of a secret that follows from others, written again when it has changed."""
        with self._lock:
            path = self._folder / name
            if not path.exists() or path.read_text() != value:
                self._write(path, value)
            return path

    def _write(self, path: Path, value: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f"{path.name}.new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(value)
        temporary.replace(path)
