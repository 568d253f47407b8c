"""``python -m tests.chaos.altered ALTERATION PACKAGE ARGUMENT…``: a program as if somebody had written it so.

Two alterations are a machine whose clock is off: only ``espace.clock.utcnow``, which everything of ours asks.
The others are the classic mistakes of such systems, to see that the judges tell them.
"""

import os
import runpy
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from pika.adapters.blocking_connection import BlockingChannel

from espace import clock, crash
from espace.bus import Event, relay, topology
from espace.bus.handling import Handling
from espace.bus.publisher import Publisher, message_of
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
    BlockingChannel.basic_ack = lambda *_, **__: None


def no_confirm() -> None:
    """What is written to the socket is taken for published."""

    def drain(self: Any) -> None:
        self._confirmed.update(self._open.values(), self._refused)
        self._open.clear()
        self._refused.clear()

    Publisher._drain = drain  # type: ignore[method-assign]


def publish_before_commit() -> None:
    """An event goes out while the transaction that records it may still fail."""
    record = UnitOfWork.record

    def record_and_publish(self: UnitOfWork, event: Event) -> None:
        record(self, event)
        now = Publisher(os.environ["ESPACE_AMQP_URL"], "hasty")
        now.publish(topology.EVENTS, [message_of(event, service="dossier")])
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
        found = connection.execute(relay._ROWS.format("o.position > %s"), (last, relay.BATCH)).fetchall()
        last = max([last, *(row[0] for row in found)])
        return list(found)

    relay.Relay._rows = rows  # type: ignore[method-assign]


def application_clock() -> None:
    """A deadline is judged by the program's own clock, which is an hour ahead."""
    clock_off_by(HOUR)()

    def now(self: clock.LegalClock, session: Any) -> datetime:
        return self.approximate_now()

    clock.LegalClock.now = now  # type: ignore[method-assign]


def mail_before_commit() -> None:
    """A message leaves in the transaction that asks for it."""
    from notifier_service.commands import claim_due, conclude
    from notifier_service.sending import Sender

    build = Sender.__init__
    senders: list[Sender] = []

    def remember(self: Any, database: Any, composer: Any, server: Any, settings: Any) -> None:
        build(self, database, composer, server, settings)
        senders.append(self)

    def apply(self: Any, handler: Any, incoming: Any) -> bool:
        with self._database.transaction() as unit:
            handler(unit, incoming)
            unit.flush()
            message = claim_due(unit, senders[0]._lease)
            if message is not None:
                outcome = senders[0]._attempt(message, time.monotonic())
                conclude(unit, message, outcome, retry_scale=1)
            crash.point("consumer.before_commit")
        return True

    Sender.__init__ = remember  # type: ignore[method-assign]
    Sender.step = lambda self: False  # type: ignore[method-assign]
    Handling._apply = apply  # type: ignore[method-assign]


def object_deleted_before_its_row() -> None:
    """What was sent is removed before the row says what became of it."""
    from documents_service.commands import completion

    decide = completion._decide

    def remove_and_decide(desk: Any, document_id: Any, outcome: Any) -> Any:
        desk.store.remove(f"incoming/{document_id}")
        crash.point("documents.before_removal")
        return decide(desk, document_id, outcome)

    completion._decide = remove_and_decide


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
        "application-clock": application_clock,
        "mail-before-commit": mail_before_commit,
        "object-deleted-before-its-row": object_deleted_before_its_row,
    }
)


if __name__ == "__main__":
    main()
