"""Waiting for what must come, with a deadline and without guessing how long."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")
FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.25


def until(
    what: str | Callable[[], str], probe: Callable[[], Found | bool | None], seconds: float = 60
) -> Found:
    """Ask ``probe`` until it gives something true, and return that.

    Args:
        what: what is waited for; a function is asked when it did not come, and may tell what did.

    Raises:
        AssertionError: ``seconds`` have passed; names ``what``.
    """
    pause, end = FIRST_PAUSE, time.monotonic() + seconds
    while not (found := probe()):
        if time.monotonic() > end:
            named = what if isinstance(what, str) else what()
            raise AssertionError(f"{seconds:g} seconds have passed without: {named}")
        time.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 1.5)
    return found  # type: ignore[return-value]
