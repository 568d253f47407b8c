"""What the broker refuses for a while: event types of which a reader's queue is full, and outsiders."""

import time
from collections.abc import Callable

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0


class Holds:
    """Which types wait, and how long: twice as long after each refusal, until one event is taken.

    A queue refuses by type, so holding back the type spares the other types their wait, and the other
    readers of the same type a second copy at each try.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[str, tuple[float, float]] = {}  # type → pause, instant of the next try

    @property
    def held(self) -> list[str]:
        """All that are held back."""
        return list(self._held)

    def due(self) -> list[str]:
        """Those of which one event may be tried now."""
        now = self._clock()
        return [type_ for type_, (_, next_try) in self._held.items() if next_try <= now]

    def hold(self, type_: str) -> float:
        """It was refused; how many seconds it waits."""
        pause, _ = self._held.get(type_, (FIRST_PAUSE / 2, 0.0))
        pause = min(LONGEST_PAUSE, 2 * pause)
        self._held[type_] = (pause, self._clock() + pause)
        return pause

    def release(self, type_: str) -> None:
        """It was taken, or there is none left."""
        self._held.pop(type_, None)
