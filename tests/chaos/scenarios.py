"""Directed scenarios: the one moment at which a mistake shows, on real servers, judged by its checker.

Each takes the alteration that its programs run with, or none, and returns what the judge says.
"""

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from sqlalchemy import text

from espace.bus import topology
from espace.testing import until
from shared.tests.bus.conftest import Bus
from shared.tests.bus.facts import a_fact
from tests.chaos.checkers import Verdict, conservation

READER: Final = "scheduler"
WORKER: Final = "shared.tests.bus.effects_worker"
WRITER: Final = "tests.chaos.writer"
A_FEW: Final = 10
"""More events than can be on their way at a moment."""


@dataclass
class Altered:
    """Programs of a scenario, written as the alteration has it."""

    bus: Bus
    alteration: str | None
    settings: Mapping[str, str] = field(default_factory=dict)
    _dead: list[str] = field(default_factory=list)

    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """One of them, in the background."""
        as_told = ["tests.chaos.altered", self.alteration, module] if self.alteration else [module]
        return self.bus.spawn("-m", *as_told, *arguments, **self.settings)

    def log(self) -> str:
        """What they have told so far."""
        return "".join(
            file.read_text(encoding="utf-8") for file in sorted(self.bus.folder.glob("worker-*.log"))
        )

    @contextmanager
    def running(self, *loops: str) -> Iterator[subprocess.Popen[bytes]]:
        """A worker with these loops, while inside."""
        process = self.start(WORKER, *loops)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)

    def die_at(self, point: str) -> None:
        """Record an event, and let the worker that applies it kill itself there."""
        self.bus.arm(point)
        self.bus.record()
        process = self.start(WORKER, "relay", "consume")
        until("the crash", lambda: process.poll() is not None, 30)

    # ---- looking

    def ids(self, table: str) -> set[str]:
        """The ids of a table's rows; a condition may follow its name."""
        with self.bus.database.session() as session:
            return set(session.execute(text(f"SELECT id::text FROM {table}")).scalars())

    def recorded(self) -> dict[str, str]:
        """Event → type, of the log."""
        with self.bus.database.session() as session:
            return {str(id_): type_ for id_, type_ in session.execute(text("SELECT id, type FROM event_log"))}

    def at_rest(self) -> bool:
        """Nothing in the outbox, nothing with the broker but what a consumer has in hand."""
        return not self.bus.count("outbox") and not self.bus.depth(topology.queue(READER))

    def verdict(self) -> Verdict:
        """What the conservation of events says, by the effects that are there."""
        effects = [str(id_) for id_ in self.bus.effects().elements()]
        self._dead += [str(letter["id"]) for letter in self.bus.take(topology.dead_queue(READER))]
        types = {READER: topology.SUBSCRIPTIONS[READER]}
        return conservation(self.recorded(), {READER: effects}, {READER: self._dead}, types)

    def settled(self) -> Verdict:
        """Relay and consume until nothing waits; judged when they have ended, with nothing in hand."""

        def over() -> bool:
            with self.running("relay", "consume"):
                until("rest", lambda: self.verdict().kept or self.at_rest(), 30)
            return self.verdict().kept or self.at_rest()

        until("rest at the end", over, 60)
        return self.verdict()


def killed_before_the_commit(altered: Altered) -> Verdict:
    """The consumer dies with the work done and not committed."""
    altered.die_at("consumer.before_commit")
    return altered.settled()


def refused_by_a_full_queue(altered: Altered) -> Verdict:
    """The broker refuses what is published, for a while; its limit is soft and takes some to be reached."""
    bus, queue = altered.bus, topology.queue(READER)
    bus.depth(queue)

    def refuses() -> bool:
        gone = not bus.count("outbox") and bus.count("event_log") - bus.depth(queue) > A_FEW
        over = gone or '"relay.refused"' in altered.log()
        if not over:
            bus.record(5)
        return over

    with bus.limited(queue, {"max-length": 1}), altered.running("relay"):
        until("the refusal", refuses, 30)
    return altered.settled()


def killed_before_the_commit_of_a_fact(altered: Altered) -> Verdict:
    """The writer dies in its transaction: nothing has happened."""
    altered.bus.arm("writer.before_commit")
    assert altered.start(WRITER).wait(30) < 0
    with altered.running("relay", "consume"):
        (recorded,) = altered.bus.record()
        until("what was recorded", lambda: recorded in altered.bus.effects(), 30)
    return altered.settled()


def delivered_twice(altered: Altered) -> Verdict:
    """The consumer dies between its commit and the acknowledgement."""
    altered.die_at("consumer.after_commit")
    with altered.running("relay", "consume"):
        until("the second delivery", lambda: re.search(r"consumer\.(handled|duplicate)", altered.log()), 30)
    return altered.settled()


def committed_in_another_order(altered: Altered) -> Verdict:
    """What took its number first is committed last; it is judged when one that came after has arrived."""
    bus = altered.bus
    with altered.running("relay", "consume"):
        with bus.database.transaction() as late:
            late.record(a_fact())
            late.flush()
            (early,) = bus.record()
            until("the later number", lambda: early in bus.effects(), 30)
        (last,) = bus.record()
        until("what came after", lambda: last in bus.effects(), 30)
        return altered.verdict()


CASES: Final[Mapping[str, tuple[Callable[[Altered], Verdict], str]]] = MappingProxyType(
    {
        "acknowledge-before-commit": (killed_before_the_commit, "lost"),
        "no-confirm": (refused_by_a_full_queue, "lost"),
        "publish-before-commit": (killed_before_the_commit_of_a_fact, "wrong"),
        "no-inbox-key": (delivered_twice, "duplicated"),
        "cursor-relay": (committed_in_another_order, "lost"),
    }
)
"""Alteration → its scenario, and the word that the judge must find."""
