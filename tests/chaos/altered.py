"""``python -m tests.chaos.altered ALTERATION PACKAGE ARGUMENT…``: a program as if somebody had written it so.

Two alterations are a machine whose clock is off: only ``espace.clock.utcnow``, which everything of ours asks.
The others are the classic mistakes of such systems, to see that the judges tell them.
"""

import os
import runpy
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from pika.adapters.blocking_connection import BlockingChannel

from espace import clock, crash
from espace.bus import Event, relay, topology
from espace.bus.event import encode, envelope, routing_key
from espace.bus.handling import Handling
from espace.bus.publisher import Message, Publisher
from espace.db import UnitOfWork

HOUR: Final = timedelta(hours=1)


def clock_off_by(off: timedelta) -> Callable[[], None]:
    """The machine's clock is off; the database's is right, and it alone may judge a deadline."""

    def alter() -> None:
        right = clock.utcnow

        def utcnow() -> datetime:
            return right() + off

        clock.utcnow = utcnow

    return alter


def acknowledge_before_commit() -> None:
    """The broker is told that a message is done when it is handed over."""
    subscribe = BlockingChannel.basic_consume

    def basic_consume(channel: Any, queue: str, callback: Any) -> Any:
        return subscribe(channel, queue, callback, auto_ack=True)

    BlockingChannel.basic_consume = basic_consume
    BlockingChannel.basic_ack = lambda *_: None


def no_confirm() -> None:
    """What is written to the socket is taken for published."""

    def drain(self: Any) -> None:
        self._confirmed.update(self._open.values())
        self._open.clear()

    Publisher._drain = drain  # type: ignore[method-assign]


def publish_before_commit() -> None:
    """An event goes out while the transaction that records it may still fail."""
    record = UnitOfWork.record

    def record_and_publish(self: UnitOfWork, event: Event) -> None:
        record(self, event)
        body = encode(envelope(event, service="dossier"))
        now = Publisher(os.environ["ESPACE_AMQP_URL"], "hasty")
        now.publish(topology.EVENTS, [Message(str(event.id), routing_key(event.type), event.type, body)])
        now.close()

    UnitOfWork.record = record_and_publish  # type: ignore[method-assign]


def no_inbox_key() -> None:
    """Whether an event was applied already is not asked."""

    def apply(self: Any, handler: Any, incoming: Any) -> bool:
        with self._database.transaction() as unit:
            handler(unit, incoming)
            unit.flush()
            crash.point("consumer.before_commit")
        crash.point("consumer.after_commit")
        return True

    Handling._apply = apply  # type: ignore[method-assign]


def cursor_relay() -> None:
    """The relay remembers the last position, and looks beyond it only."""
    last = 0

    def rows(self: Any, connection: Any) -> list[tuple[Any, ...]]:
        nonlocal last
        found = connection.execute(relay._ROWS.format("position > %s"), (last, relay.BATCH)).fetchall()
        last = max([last, *(row[0] for row in found)])
        return list(found)

    relay.Relay._rows = rows  # type: ignore[method-assign]


def main() -> None:
    """Alter, then be that program."""
    _, name, package, *arguments = sys.argv
    ALTERATIONS[name]()
    sys.argv = [package, *arguments]
    runpy.run_module(package, run_name="__main__", alter_sys=True)


ALTERATIONS: Final[Mapping[str, Callable[[], None]]] = MappingProxyType(
    {
        "clock-ahead": clock_off_by(HOUR),
        "clock-behind": clock_off_by(-HOUR),
        "acknowledge-before-commit": acknowledge_before_commit,
        "no-confirm": no_confirm,
        "publish-before-commit": publish_before_commit,
        "no-inbox-key": no_inbox_key,
        "cursor-relay": cursor_relay,
    }
)


if __name__ == "__main__":
    main()
