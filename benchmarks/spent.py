"""Processor time of each part of a platform."""

import contextlib

import psutil

from espace_stack.stack import Stack

CLIENTS = "the citizens (this program)"


class Spent:
    """Seconds of processor time since it was made, by part."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._before = self._now()

    def seconds(self) -> dict[str, float]:
        """The greatest first."""
        now = self._now()
        found = {name: value - self._before.get(name, 0.0) for name, value in now.items()}
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))

    def _now(self) -> dict[str, float]:
        own = psutil.Process().cpu_times()
        found = {CLIENTS: own.user + own.system}
        for part in self._stack.parts:
            for member in part.process.tree():
                with contextlib.suppress(psutil.NoSuchProcess):
                    times = member.cpu_times()  # user, system, and both of children that have ended
                    found[part.name] = found.get(part.name, 0.0) + sum(times[:4])
        return found


def told(seconds: dict[str, float], each: int) -> str:
    """Milliseconds for each of ``each`` things, the greatest first, what is below a tenth left out."""
    parts = [f"{name} {1000 * value / each:.1f}" for name, value in seconds.items()]
    shown = [text for text, value in zip(parts, seconds.values(), strict=True) if value / each > 0.0001]
    return f"{1000 * sum(seconds.values()) / each:.0f} ms of processor time each: {', '.join(shown)}"
