"""Which means work, as far as the login source says: asked once for many pages, remembered for a while."""

import time
from collections.abc import Callable, Iterable
from threading import Lock

import httpx

from espace.telemetry import get_logger

FRESH_SECONDS = 5.0
KEPT_SECONDS = 30.0
TIMEOUT = httpx.Timeout(2.0, connect=1.0)
log = get_logger()


class Availability:
    """The source's own word on its means, at an address no standard knows.

    A source without such an address (``url`` is empty), or one that knows nothing there, leaves every means
    to be tried: a login that fails says that its means is unavailable for the moment. One that does not
    answer at all has none that works, once what it said last is too old.
    """

    def __init__(self, url: str, http: httpx.Client, clock: Callable[[], float] = time.monotonic) -> None:
        self._url, self._http, self._clock = url, http, clock
        self._lock = Lock()
        self._down: frozenset[str] = frozenset()
        self._asked_at = self._answered_at = float("-inf")

    def working(self, means: Iterable[str]) -> frozenset[str]:
        """Those of ``means`` that may be tried now. One page asks; others meanwhile go by the last answer."""
        if not self._url:
            return frozenset(means)
        if self._lock.acquire(blocking=not self._known()):
            try:
                if self._clock() - self._asked_at >= FRESH_SECONDS:
                    self._ask()
            finally:
                self._lock.release()
        return frozenset(means) - self._down if self._known() else frozenset()

    def _known(self) -> bool:
        return self._clock() - self._answered_at < KEPT_SECONDS

    def _ask(self) -> None:
        self._asked_at = self._clock()
        try:
            answer = self._http.get(self._url, timeout=TIMEOUT)
        except httpx.HTTPError as error:
            log.warning("call.failed", audience="login source", status=0, reason=type(error).__name__)
            return
        if answer.status_code >= 500:
            log.warning("call.failed", audience="login source", status=answer.status_code, reason="status")
            return
        self._down, self._answered_at = _out_of_order(answer), self._clock()


def _out_of_order(answer: httpx.Response) -> frozenset[str]:
    """The means that the source says are not available; an answer that is about something else names none."""
    try:
        means = answer.json()["means"] if answer.status_code == 200 else {}
        return frozenset(name for name, state in means.items() if state["available"] is False)
    except (ValueError, KeyError, TypeError, AttributeError):
        return frozenset()
