"""Waiting for what must come, with a deadline and without guessing how long."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(what: str, probe: Callable[[], T | bool | None], seconds: float = 30) -> T:
    """Ask ``probe`` until it gives something; fail by naming ``what`` once ``seconds`` are over."""
    pause = 0.05
    end = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found  # type: ignore[return-value]
        if time.monotonic() > end:
            raise AssertionError(f"{seconds} s have passed without: {what}")
        _breathe(pause)
        pause = min(pause * 1.5, 0.5)


def _breathe(seconds: float) -> None:
    """The pause between two probes of a poll, in one place."""
    threading.Event().wait(seconds)
