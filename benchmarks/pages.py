"""The pages: how many claims a second through them; how long each takes while twenty citizens use them."""

import time
from collections.abc import Iterator
from functools import partial

from benchmarks import journeys
from benchmarks.finding import Finding
from benchmarks.ground import ground
from benchmarks.people import People, side_by_side
from benchmarks.turns import percentile
from benchmarks.visit import Visit, enter
from espace_stack.servers import together
from tests.e2e.pdfs import signed_claim

CITIZENS = 20
PACE_SECONDS = 1.0
ROUNDS = 3
GOAL_MS = 150


def run_claims() -> Iterator[Finding]:
    """Claims one after the other as fast as the pages answer."""
    with ground() as at:
        apps = People(at).apps(journeys.WARM + journeys.COUNT)
        visits = side_by_side(lambda n: Visit(enter(at, apps[n]), signed_claim()), len(apps))

        def journey(number: int) -> str:
            for _, step in visits[number].filing():
                step()
            return visits[number].number

        yield from journeys.measured(at, journey, "through the pages", goal=8)


def run_pages() -> Iterator[Finding]:
    """A page a second for each of the citizens; times are those of the whole answer, seen by the browser."""
    with ground() as at:
        apps = People(at).apps(ROUNDS * CITIZENS)
        visits = side_by_side(lambda n: Visit(enter(at, apps[n]), signed_claim()), len(apps))
        took: dict[str, list[float]] = {}
        for round_ in range(ROUNDS):
            _walk(visits[round_ * CITIZENS : (round_ + 1) * CITIZENS], {} if round_ == 0 else took)
    for name, seconds in took.items():
        if len(seconds) != (ROUNDS - 1) * CITIZENS:
            raise RuntimeError(f"{name}: {len(seconds)} answers")
        yield Finding(
            what=f"page “{name}”, 20 citizens, a page a second each, p95 ms",
            ours=1000 * percentile(seconds, 0.95),
            goal=GOAL_MS,
            at_most=True,
            why=f"half of them within {1000 * percentile(seconds, 0.5):.0f} ms",
        )


def _walk(visits: list[Visit], took: dict[str, list[float]]) -> None:
    """All side by side, evenly spread over each second."""
    began = time.monotonic()

    def walk(position: int, visit: Visit) -> None:
        due = began + position * PACE_SECONDS / len(visits)
        for name, step in (*visit.looking(), *visit.filing()):
            time.sleep(max(0.0, due - time.monotonic()))
            asked = time.monotonic()
            step()
            took.setdefault(name, []).append(time.monotonic() - asked)
            due = max(due + PACE_SECONDS, asked + PACE_SECONDS)

    together(partial(walk, position, visit) for position, visit in enumerate(visits))
