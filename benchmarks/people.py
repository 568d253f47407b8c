"""Citizens with a confirmed space and files to upload, made ready before the clock starts."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from benchmarks.ground import CITIZENS, Ground
from espace_stack.testing.platform import Platform
from login_simulator.citizens import Citizen
from tests.e2e.app import App
from tests.e2e.claims import candidates
from tests.e2e.conftest import confirm_space

AT_ONCE = 6
Made = TypeVar("Made")


class People:
    """Hands out citizens of a platform, each once."""

    def __init__(self, at: Ground) -> None:
        self._at = at
        self._lock = threading.Lock()
        self._free: Iterator[Citizen] = iter(candidates(CITIZENS))

    def apps(self, count: int) -> list[App]:
        """Logged in, by the application, with a confirmed space and a token that is new."""
        made = side_by_side(self._app, count)
        side_by_side(lambda number: made[number].refresh(), count)
        return made

    def _app(self, _number: int) -> App:
        with self._lock:
            person = next(self._free)
        app = App(self._at.stack.url("gateway"), person).login()
        confirm_space(Platform(self._at.stack), app)
        return app


def side_by_side(make: Callable[[int], Made], count: int) -> list[Made]:
    """What ``make`` gives for each number below ``count``."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(make, range(count)))
