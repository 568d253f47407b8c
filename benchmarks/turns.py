"""Ours and its peers in turns, so that a slow minute hits all."""

import math
import statistics
from collections.abc import Callable, Mapping

Measure = Callable[[], float]
ROUNDS = 3


def in_turns(measures: Mapping[str, Measure], rounds: int = ROUNDS) -> dict[str, float]:
    """The median of each, all measured once in every round."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            taken[name].append(measure())
    return {name: statistics.median(values) for name, values in taken.items()}


def percentile(values: list[float], part: float) -> float:
    """The smallest value that at least ``part`` (0 to 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]
