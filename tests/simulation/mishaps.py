"""What goes wrong, by the seed: one thing at most in one act."""

from collections.abc import Callable
from random import Random
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tests.simulation.commits import FAILURES
from tests.simulation.crashing import CrashPoints, Killed
from tests.simulation.house import House

SHARE: Final = 0.25
"""Of the acts in which something can go wrong."""


class Mishaps:
    """Arms a mishap for an act and disarms it afterwards. None happens once ``mended`` is set."""

    def __init__(self, house: House, random: Random) -> None:
        self.mended = False
        self.points = CrashPoints()
        self._house, self._random = house, random
        self._armed = ""

    def happens(self, share: float = 1) -> bool:
        """Whether one does, in an act that has none yet."""
        return not (self.mended or self._armed) and self._random.random() < SHARE * share

    def commit(self, service: str, number: int = 1) -> None:
        """Perhaps one of a service's next commits fails."""
        if self.happens():
            failure = self._random.choice(FAILURES)
            which = self._random.randint(1, number)
            self._house.commits[service].fail(failure, which)
            self._armed = f"{service}'s commit {which} {failure}"

    def crash(self, *names: str) -> None:
        """Perhaps the process is killed at one of these points."""
        if self.happens():
            name = self._random.choice(names)
            self.points.arm(name)
            self._armed = f"killed at {name}"

    def other(self, name: str, arm: Callable[[], object], share: float = 1) -> None:
        """Perhaps something else."""
        if self.happens(share):
            arm()
            self._armed = name

    def over(self, told: str) -> str:
        """What was told, and what had been armed for it; nothing of it goes off later."""
        for commits in self._house.commits.values():
            commits.sound()
        self.points.arm("")
        armed, self._armed = self._armed, ""
        return f"{told} [{armed}]" if armed else told

    @staticmethod
    def survived(act: Callable[[], object]) -> str:
        """What a loop's step returned; one that fails or dies is begun again by its worker."""
        try:
            return str(act())
        except (SQLAlchemyError, Killed) as error:
            return type(error).__name__
