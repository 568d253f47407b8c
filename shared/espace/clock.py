"""The two clocks of the house; nothing else says "now".

*Technical* time (tokens, sessions, logs, retries, the Date of a mail) is real: :func:`utcnow`.
*Legal* time (receipt instants, deadlines, windows, the dates in texts) is the database's clock plus one
offset, kept in a file that all programs share and that the stack alone writes. It can be frozen for
tests. In production the offset is zero and anything else is refused.
"""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import DateTime, Interval, bindparam, cast, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement

from espace.config import Environment, SettingsError


def _shifted(offset: ColumnElement[timedelta]) -> ColumnElement[datetime]:
    """The database's clock plus an offset."""
    return cast(func.clock_timestamp() + cast(offset, Interval()), DateTime(timezone=True))


# Made once: every request asks, and building and keying the expression took longer than its answer.
_NOW = select(_shifted(bindparam("offset", type_=Interval())))


def utcnow() -> datetime:
    """Technical time: the real instant, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251  the one place that may ask


@dataclass(frozen=True)
class LegalTime:
    """How legal time stands to real time: shifted by ``offset``, or standing still at ``frozen``."""

    offset: timedelta = timedelta(0)
    frozen: datetime | None = None

    @property
    def is_real(self) -> bool:
        """Whether legal time is real time; otherwise every page says so in a banner."""
        return not self.offset and self.frozen is None

    @classmethod
    def parse(cls, text: str) -> "LegalTime":
        """Read the shared file's JSON: ``{"offset_seconds": float, "frozen_at": RFC 3339 or null}``.

        Raises:
            ValueError, TypeError: the text is not that.
        """
        data = json.loads(text)
        if not isinstance(data, dict):
            raise TypeError("a JSON object is expected")
        frozen = None
        if data.get("frozen_at") is not None:
            frozen = datetime.fromisoformat(data["frozen_at"])
            if frozen.tzinfo is None:
                raise ValueError("frozen_at has no time zone")
            frozen = frozen.astimezone(UTC)
        return cls(timedelta(seconds=float(data.get("offset_seconds", 0))), frozen)

    def dump(self) -> str:
        """The shared file's JSON, as :meth:`parse` reads it."""
        frozen = self.frozen.isoformat() if self.frozen else None
        return json.dumps({"offset_seconds": self.offset.total_seconds(), "frozen_at": frozen}) + "\n"

    def save(self, file: Path) -> None:
        """Replace ``file`` atomically: a reader sees the old state or the new one, never half."""
        draft = file.with_name(f"{file.name}.{os.getpid()}.new")
        draft.write_text(self.dump(), encoding="utf-8")
        draft.replace(file)


class LegalClock:
    """Legal time as the database says it. Safe to share between threads.

    Args:
        file: the shared file, or None where legal time is real time.
        environment: in ``production`` a shifted or frozen clock is refused.

    Raises:
        SettingsError: at construction and at every reading: the file is missing, malformed or refused.
    """

    def __init__(self, file: Path | None, environment: Environment) -> None:
        self._file = file
        self._environment = environment
        self._read: tuple[tuple[int, int, int], LegalTime] | None = None
        self.state()

    def state(self) -> LegalTime:
        """The present offset or frozen instant; the file is read again when it was replaced."""
        if self._file is None:
            return LegalTime()
        try:
            found = self._file.stat()
            signature = (found.st_mtime_ns, found.st_ino, found.st_size)
            if self._read is None or self._read[0] != signature:
                self._read = (signature, self._checked(LegalTime.parse(self._file.read_text("utf-8"))))
            return self._read[1]
        except (OSError, ValueError, TypeError, OverflowError) as error:
            raise SettingsError(f"the legal clock's file {self._file} cannot be used: {error}") from error

    def now(self, session: Session) -> datetime:
        """The legal instant (aware, UTC), asked of the database in a statement of its own."""
        state = self.state()
        if state.frozen is None:
            instant: datetime = session.execute(_NOW, {"offset": state.offset}).scalar_one()
        else:
            instant = session.execute(select(self.sql_now())).scalar_one()
        return instant.astimezone(UTC)

    def sql_now(self) -> ColumnElement[datetime]:
        """The legal instant as an expression; evaluated once per statement, so that indexes serve it."""
        state = self.state()
        if state.frozen is not None:
            zoned = DateTime(timezone=True)
            return cast(bindparam(None, state.frozen, type_=zoned, unique=True), zoned)
        offset = bindparam(None, state.offset, type_=Interval(), unique=True)
        return select(_shifted(offset)).scalar_subquery()

    def approximate_now(self) -> datetime:
        """The legal instant by this program's own clock: for banners and texts, never for a decision."""
        state = self.state()
        return state.frozen if state.frozen is not None else utcnow() + state.offset

    def _checked(self, state: LegalTime) -> LegalTime:
        if self._environment == "production" and not state.is_real:
            raise SettingsError("legal time is shifted or frozen, which production refuses")
        return state
