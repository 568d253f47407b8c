"""Secrets of a stack: made once, kept as files of mode 0600, given to programs by file name."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path


class Secrets:
    """The folder of one stack's secrets."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def file(self, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> Path:
        """The file of the secret ``name``, made on first use."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / name
        if not path.exists():
            temporary = path.with_suffix(".new")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(make())
            temporary.replace(path)
        return path

    def value(self, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> str:
        """The secret itself, made on first use."""
        return self.file(name, make).read_text()
