"""Classic mistakes, made in our programs while inside; and which judge is there to tell each."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

import pytest
from sqlalchemy.dialects.postgresql import insert

from deadline_scheduler_service import commands as scheduler
from deadline_scheduler_service import firing
from espace import crash
from espace.bus import relay, topology
from espace.bus.event import Event
from espace.bus.handling import Handling
from espace.bus.publisher import Outcome, message_of
from espace.bus.relay import Relay
from espace.db import UnitOfWork
from espace.db.tables import inbox
from tests.simulation.clock import SimulatedClock
from tests.simulation.house import House
from tests.simulation.lines import MemoryChannel, MemoryPublisher

Mistake = Callable[[pytest.MonkeyPatch, House], None]


def inbox_ignored(patch: pytest.MonkeyPatch, _house: House) -> None:
    """That an event was applied before is noted and not looked at."""

    def apply(self: Any, handler: Any, incoming: Any) -> bool:
        with self._database.transaction() as unit:
            unit.session.execute(
                insert(inbox).values(event_id=incoming.id, type=incoming.type).on_conflict_do_nothing()
            )
            handler(unit, incoming)
            unit.flush()
            crash.point("consumer.before_commit")
        crash.point("consumer.after_commit")
        return True

    patch.setattr(Handling, "_apply", apply)


def inbox_apart(patch: pytest.MonkeyPatch, _house: House) -> None:
    """That an event is applied is noted first, in a transaction of its own."""
    apply = Handling._apply

    def note_and_apply(self: Any, handler: Any, incoming: Any) -> bool:
        def nothing(_unit: Any, _incoming: Any) -> None: ...

        if not apply(self, nothing, incoming):
            return False
        with self._database.transaction() as unit:
            handler(unit, incoming)
        return True

    patch.setattr(Handling, "_apply", note_and_apply)


def no_confirm(patch: pytest.MonkeyPatch, _house: House) -> None:
    """What was sent is taken for published."""
    publish = MemoryPublisher.publish

    def sent(self: MemoryPublisher, exchange: str, batch: Any) -> Outcome:
        publish(self, exchange, batch)
        return Outcome(frozenset(message.id for message in batch), frozenset())

    patch.setattr(MemoryPublisher, "publish", sent)


def cursor(patch: pytest.MonkeyPatch, _house: House) -> None:
    """The relay remembers the last position, and looks beyond it only."""
    last: dict[Relay, int] = {}

    def rows(self: Relay, connection: Any) -> list[tuple[Any, ...]]:
        begin = last.get(self, 0)
        found = connection.execute(relay._ROWS.format("position > %s"), (begin, relay.BATCH)).fetchall()
        last[self] = max([begin, *(row[0] for row in found)])
        return list(found)

    patch.setattr(Relay, "_rows", rows)


def acknowledged_at_once(patch: pytest.MonkeyPatch, _house: House) -> None:
    """The broker is told that a letter is done when it is handed over."""
    get = MemoryChannel.basic_get

    def get_and_acknowledge(self: Any, queue: str) -> Any:
        found = get(self, queue)
        for held in self._in_hand.values():
            held.queue.in_hand -= 1
        self._in_hand.clear()
        return found

    patch.setattr(MemoryChannel, "basic_get", get_and_acknowledge)
    for word in ("basic_ack", "basic_nack"):
        patch.setattr(MemoryChannel, word, lambda self, _tag, **_options: self._check())


def publish_before_commit(patch: pytest.MonkeyPatch, house: House) -> None:
    """An event goes out while its transaction may still fail."""
    record = UnitOfWork.record

    def record_and_publish(self: UnitOfWork, event: Event) -> None:
        record(self, event)
        line = MemoryPublisher(house.broker)
        line.publish(topology.EVENTS, [message_of(event, service="dossier")])

    patch.setattr(UnitOfWork, "record", record_and_publish)


def any_version(patch: pytest.MonkeyPatch, _house: House) -> None:
    """The scheduler takes what arrives last for what was said last."""
    patch.setattr(scheduler, "accepts_setting", lambda known, version: True)
    patch.setattr(scheduler, "accepts_withdrawal", lambda known, version: True)


def fast_clock(patch: pytest.MonkeyPatch, _house: House) -> None:
    """Deadlines are judged by a clock that is an hour ahead."""
    fire_due = firing.fire_due

    def an_hour_ahead(database: Any, clock: SimulatedClock, **options: Any) -> bool:
        ahead = SimulatedClock()
        ahead.instant = clock.instant + timedelta(hours=1)
        return fire_due(database, ahead, **options)

    patch.setattr("tests.simulation.acts.fire_due", an_hour_ahead)


MISTAKES: Final[Mapping[str, tuple[Mistake, str, str, int]]] = MappingProxyType(
    {
        "inbox ignored": (inbox_ignored, "requests", "duplicated", 9),
        "inbox in a transaction of its own": (inbox_apart, "documents", "lost", 3),
        "acknowledged at once": (acknowledged_at_once, "events", "lost", 0),
        "no confirm": (no_confirm, "events", "lost", 3),
        "cursor": (cursor, "events", "lost", 3),
        "published before the commit": (publish_before_commit, "events", "wrong", 0),
        "any version": (any_version, "deadlines", "wrong", 1),
        "fast clock": (fast_clock, "deadlines", "wrong", 35),
    }
)
"""Mistake → how it is made, the judge that is there for it, the word that judge must find, and a seed that
tells it at once. Where stories have changed, a later one does.
"""
