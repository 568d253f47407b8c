"""The outsiders of one service: who is told what, since when, and how far it was.

The order of the log is that of ``(recorded_in, position)``: transactions end in another order than they
began, so a position alone is no mark, what comes late below it would be passed over. Only what is older
than the oldest transaction still running is read; nothing can come late there.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from alembic.operations import Operations
from sqlalchemy import text
from sqlalchemy.orm import Session

from espace.bus.event import Event

SCHEMA: Final = (
    # Rows that are here already get this migration's number, and so keep the order of their positions.
    """ALTER TABLE event_log ADD COLUMN recorded_in bigint NOT NULL
        DEFAULT pg_current_xact_id()::text::bigint""",
    "CREATE INDEX ix_event_log_recorded_in ON event_log (recorded_in, position)",
    """CREATE TABLE outsiders (
        name text PRIMARY KEY CONSTRAINT outsider_name CHECK (name ~ '^[a-z][a-z0-9-]{1,39}$'),
        types text[] NOT NULL,
        since timestamptz NOT NULL,
        recorded_in bigint NOT NULL,
        position bigint NOT NULL DEFAULT 0)""",
)
_LIST = text("SELECT name, types, since, recorded_in, position FROM outsiders ORDER BY name")
# No transaction that still runs began to write before the older of the two.
_LET_IN = text("""
    INSERT INTO outsiders (name, types, since, recorded_in)
    SELECT :name, :types, :since, least(
        pg_snapshot_xmin(pg_current_snapshot())::text::bigint,
        (SELECT recorded_in FROM event_log WHERE time >= :since ORDER BY recorded_in LIMIT 1))
    ON CONFLICT (name) DO UPDATE SET types = excluded.types, since = excluded.since,
        recorded_in = excluded.recorded_in, position = excluded.position
""")
_AFTER = text("""
    SELECT recorded_in, position, id, type, subject, version, time, data FROM event_log
    WHERE (recorded_in, position) > (:recorded_in, :position)
        AND recorded_in < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    ORDER BY recorded_in, position LIMIT :limit
""")
# Not if another process, or a person, has moved it meanwhile.
_MOVE = text("""
    UPDATE outsiders SET recorded_in = :to_recorded_in, position = :to_position
    WHERE name = :name AND (recorded_in, position) = (:recorded_in, :position)
""")
_LET_OUT = text("DELETE FROM outsiders WHERE name = :name")


def open_to_outsiders(op: Operations) -> None:
    """What a service's database needs for this; called by one of its migrations."""
    for statement in SCHEMA:
        op.execute(statement)


@dataclass(frozen=True)
class Mark:
    """A place in the log: the transaction's number, and the position."""

    recorded_in: int
    position: int


@dataclass(frozen=True)
class Recorded:
    """An event with its place in the log."""

    mark: Mark
    event: Event


@dataclass(frozen=True)
class Outsider:
    """Somebody outside who is told events of ``types`` that were recorded at or after ``since``."""

    name: str
    types: frozenset[str]
    since: datetime
    mark: Mark

    def wants(self, event: Event) -> bool:
        """Whether to tell; what the platform files with itself is nobody's business."""
        return (
            event.type in self.types and event.time >= self.since and not event.data.get("synthetic", False)
        )


def outsiders(session: Session) -> list[Outsider]:
    """All of them, by name."""
    return [
        Outsider(name, frozenset(types), since, Mark(recorded_in, position))
        for name, types, since, recorded_in, position in session.execute(_LIST)
    ]


def let_in(session: Session, name: str, types: Collection[str], since: datetime) -> None:
    """Tell ``name`` the events of ``types`` since an instant; once more, if they were told already."""
    session.execute(_LET_IN, {"name": name, "types": sorted(types), "since": since})


def let_out(session: Session, name: str) -> bool:
    """Tell ``name`` nothing more; whether it was told anything."""
    gone: Any = session.execute(_LET_OUT, {"name": name})
    return bool(gone.rowcount)


def after(session: Session, mark: Mark, limit: int) -> Sequence[Recorded]:
    """What comes next in the log, whoever wants it, in order."""
    rows = session.execute(
        _AFTER, {"recorded_in": mark.recorded_in, "position": mark.position, "limit": limit}
    )
    return [
        Recorded(
            Mark(recorded_in, position),
            Event(id=UUID(str(id_)), type=type_, subject=subject, version=version, time=time, data=data),
        )
        for recorded_in, position, id_, type_, subject, version, time, data in rows
    ]


def move(session: Session, outsider: Outsider, mark: Mark) -> None:
    """The outsider has everything up to ``mark``."""
    session.execute(
        _MOVE,
        {
            "name": outsider.name,
            "recorded_in": outsider.mark.recorded_in,
            "position": outsider.mark.position,
            "to_recorded_in": mark.recorded_in,
            "to_position": mark.position,
        },
    )
