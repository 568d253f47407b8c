"""A process that dies at one of the points of :mod:`espace.crash`, and those who share ours live on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from espace import crash


class Killed(BaseException):
    """As far as the code in hand is concerned nothing runs after this."""


class CrashPoints:
    """Which point is armed; one at most."""

    def __init__(self) -> None:
        self._armed = ""
        self._instead: Callable[[], None] | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Have the points ask us, while inside."""
        before, crash.point = crash.point, self.point
        try:
            yield
        finally:
            crash.point = before

    def arm(self, name: str, instead: Callable[[], None] | None = None) -> None:
        """Die there at the next passing, or do something else; an empty name disarms."""
        self._armed, self._instead = name, instead

    def point(self, name: str) -> None:
        """Called by the code under test."""
        if name == self._armed:
            self._armed = ""
            if self._instead is None:
                raise Killed(name)
            self._instead()
