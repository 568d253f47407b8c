"""Steps that wait for each other, everything else side by side."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """Something to do after the steps named in ``after``."""

    name: str
    action: Callable[[], object]
    after: tuple[str, ...] = ()


def carry_out(steps: list[Step]) -> None:
    """Do all steps, each as soon as those before it are done.

    Raises:
        Exception: the first failure; steps that wait for it are not begun, those under way are awaited.
    """
    waiting = {step.name: step for step in steps}
    done: set[str] = set()
    running: dict[Future[object], str] = {}
    failure: BaseException | None = None
    with ThreadPoolExecutor(max_workers=len(steps)) as pool:
        while running or (waiting and failure is None):
            if failure is None:
                for step in [s for s in waiting.values() if done.issuperset(s.after)]:
                    running[pool.submit(waiting.pop(step.name).action)] = step.name
            if not running:
                raise ValueError(f"steps wait for what is never done: {sorted(waiting)}")
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                done.add(running.pop(future))
                failure = failure or future.exception()
    if failure is not None:
        raise failure
