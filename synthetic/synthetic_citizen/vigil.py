"""The loop: a journey every few minutes, for ever."""

import time
from typing import Final

import httpx

from espace.telemetry import get_logger
from espace.telemetry.metrics import LAST_SUCCESS, LOOP_ERRORS, SYNTHETIC_JOURNEYS
from espace.worker import Stop, pause, tick
from synthetic_citizen.journey import Failed, Journey
from synthetic_citizen.settings import Settings

NAME: Final = "synthetic"
AGAIN_SECONDS: Final = 60.0
"""After a journey that failed, whatever the interval: soon, and not at once."""
SUCCEEDED: Final = "succeeded"
log = get_logger()


class Vigil:
    """Goes on journeys and tells how they ended."""

    name = NAME

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        SYNTHETIC_JOURNEYS.labels(SUCCEEDED)

    def run(self, stop: Stop) -> None:
        while not stop.is_set():
            tick(self.name)
            went_well = self.journey(stop)
            interval = self._settings.interval_seconds
            pause(stop, interval if went_well else min(interval, AGAIN_SECONDS), self.name)

    def journey(self, stop: Stop) -> bool:
        """One journey; whether it went well."""
        started = time.monotonic()
        with httpx.Client(timeout=20, trust_env=False) as http:
            try:
                Journey(self._settings, http, stop).run()
            except Failed as failure:
                if not stop.is_set():
                    SYNTHETIC_JOURNEYS.labels(failure.step).inc()
                    LOOP_ERRORS.labels(self.name).inc()
                    log.error("synthetic.failed", step=failure.step, reason=failure.reason)  # noqa: TRY400
                return False
        SYNTHETIC_JOURNEYS.labels(SUCCEEDED).inc()
        LAST_SUCCESS.labels(self.name).set_to_current_time()
        log.info("synthetic.succeeded", duration_ms=round((time.monotonic() - started) * 1000, 1))
        return True
