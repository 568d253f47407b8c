"""Legal time of a stack: set at the first start, moved forward, frozen for tests."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg

from espace.clock import LegalTime, utcnow

BRUSSELS = ZoneInfo("Europe/Brussels")
START = datetime(2024, 10, 15, 9, tzinfo=BRUSSELS)
"""When the demonstration begins: a Tuesday, two days after the elections."""


class BackwardsError(Exception):
    """Legal time does not go back; the message says what to do."""


class NotRunning(Exception):
    """What is asked needs a running platform; the message says what does not answer."""


def latest_receipt(database_url: str) -> datetime | None:
    """The instant of the latest deposit or answer, as dossier published it.

    Raises:
        NotRunning: dossier's database does not answer.
    """
    query = "SELECT max((data->>'received_at')::timestamptz) FROM event_log WHERE type LIKE %s"
    try:
        with psycopg.connect(database_url.replace("+psycopg", "", 1), connect_timeout=5) as connection:
            row = connection.execute(query, ("be.espace.dossier.%",)).fetchone()
    except psycopg.Error as error:
        raise NotRunning(f"dossier's database does not answer ({error})") from error
    return row[0] if row else None


class Legal:
    """The clock file of one stack; programs read it, only this writes it."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def ensure(self, start: datetime = START) -> None:
        """Set the clock to ``start`` unless it has been set."""
        if not self.is_set:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self._show(start)

    @property
    def is_set(self) -> bool:
        """Whether the stack has a legal time: it was started once."""
        return self.file.exists()

    @property
    def time(self) -> LegalTime:
        """How legal time stands to real time."""
        return LegalTime.parse(self.file.read_text())

    def now(self) -> datetime:
        """Legal time now, as this machine's clock says."""
        time = self.time
        return time.frozen or utcnow() + time.offset

    def travel(self, to: datetime, *, not_before: datetime | None = None) -> None:
        """Move on to ``to``; time runs from there.

        Raises:
            BackwardsError: before the present, or before ``not_before`` (the latest receipt).
        """
        for limit, what in ((self.now(), "it is now"), (not_before, "the latest receipt is of")):
            if limit is not None and to < limit:
                local = f"{limit.astimezone(BRUSSELS):%Y-%m-%d %H:%M:%S}"
                raise BackwardsError(
                    f"legal time only goes forward: {what} {local}; `make reset` starts over"
                )
        self._show(to)

    def freeze(self, at: datetime) -> None:
        """Stand still at ``at``, wherever that is; for tests."""
        self._keep(LegalTime(self.time.offset, at.astimezone(UTC)))

    def unfreeze(self) -> None:
        """Run on from the frozen instant."""
        frozen = self.time.frozen
        if frozen is not None:
            self._show(frozen)

    def set(self, at: datetime) -> None:
        """Set the clock, also back; for tests with data of their own."""
        self._show(at)

    def _show(self, at: datetime) -> None:
        offset: timedelta = at.astimezone(UTC) - utcnow()
        self._keep(LegalTime(offset))

    def _keep(self, time: LegalTime) -> None:
        time.save(self.file)


def parse_instant(text: str) -> datetime:
    """``2024-10-22T00:00`` in Brussels time, or with an offset of its own."""
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=BRUSSELS)
