"""Legal time that stands still until the simulation moves it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from espace.clock import LegalClock, LegalTime

BEGINNING: Final = datetime(2024, 10, 15, 7, tzinfo=UTC)
"""Tuesday, 09:00 in Brussels: claims are taken since a while, and for six days more."""


class SimulatedClock(LegalClock):
    """The house's clock without its file."""

    def __init__(self) -> None:
        self.instant = BEGINNING
        super().__init__(None, "test")

    def state(self) -> LegalTime:
        """Standing still."""
        return LegalTime(frozen=self.instant)

    def move(self, by: timedelta) -> None:
        """Forward."""
        self.instant += by
