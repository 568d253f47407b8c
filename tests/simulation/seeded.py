"""What a story must not take from the machine: ids, and pauses."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from types import SimpleNamespace
from typing import Any

from notifier_service import sending


class _NoPause(threading.Event):
    def wait(self, timeout: float | None = None) -> bool:
        """No time passes here."""
        return self.is_set()


@contextmanager
def seeded(random: Random) -> Iterator[None]:
    """While inside ids come from ``random`` (``uuid`` asks ``os`` for bytes) and a sender does not sleep."""
    asked: Any = uuid
    threads: Any = sending
    before = asked.os, threads.threading
    asked.os = SimpleNamespace(urandom=random.randbytes)
    threads.threading = SimpleNamespace(Event=_NoPause)
    try:
        yield
    finally:
        asked.os, threads.threading = before
