"""What happens by itself: time passes, the broker repeats, refuses, loses connections."""

from datetime import timedelta
from random import Random

from sqlalchemy import text

from espace.bus import topology
from tests.simulation.broker import Taken, properties_of
from tests.simulation.house import PACKAGES, House

_NEXT = """
    select min(at) from (
        select due_at as at from deadlines where state = 'kept'
        union all select remind_at from reminders where state = 'waiting'
    ) as known where at > :now
"""
_OLDER = text("update receipt_attempts set arrived_at = arrived_at - make_interval(secs => :seconds)")


class Nature:
    """``poisoned`` is how many letters that are no event each service has got."""

    def __init__(self, house: House, random: Random) -> None:
        self.poisoned = dict.fromkeys(PACKAGES, 0)
        self._house, self._random = house, random

    def time(self) -> str:
        """Legal time goes on: by some hours, or to where something is due, or shortly before or after."""
        now = self._house.clock.instant
        due = self._house.rows("scheduler", _NEXT, now=now)
        step = timedelta(hours=self._random.randint(1, 20))
        if due[0][0] is not None and self._random.random() < 0.7:
            step = max(timedelta(0), due[0][0] - now + timedelta(minutes=self._random.choice((-30, 0, 30))))
        self._house.clock.move(step)
        return str(self._house.clock.instant)

    def seconds(self, seconds: float | None = None) -> str:
        """Real time goes on: the broker's, and where a database keeps it."""
        seconds = seconds or self._random.choice((0.6, 1.0, 5.0, 30.0, 120.0))
        self._house.broker.advance(seconds)
        with self._house.databases["dossier"].transaction() as unit:
            unit.session.execute(_OLDER, {"seconds": seconds})
        return str(seconds)

    def again(self) -> str:
        """An event of just now, or of any time before, is published once more."""
        events = self._house.broker.events
        if not events:
            return ""
        key, body, properties = self._random.choice(self._random.choice((events, events[-5:])))
        taken = self._house.broker.publish(topology.EVENTS, key, body, properties)
        return f"{key} {properties.message_id} {taken.name}"

    def poison(self) -> str:
        """A letter that is no event."""
        service = self._random.choice(list(PACKAGES))
        properties = properties_of("poison", "poison")
        taken = self._house.broker.publish("", topology.queue(service), b"poison", properties)
        self.poisoned[service] += taken is Taken.KEPT
        return f"{service} {taken.name}"

    def limit(self) -> str:
        """A queue is full with next to nothing; or no queue is any more."""
        if self._random.random() < 0.5:
            self._house.broker.unlimit()
            return "none"
        service = self._random.choice(list(PACKAGES))
        name = self._random.choice((topology.queue(service), topology.retry_queue(service, 1)))
        length = self._random.randint(0, 2)
        self._house.broker.limit(name, {"max-length": length})
        return f"{name} {length}"

    def cut(self) -> str:
        """A reader loses its connection with all it has in hand."""
        reader = self._random.choice(list(self._house.readers.values()))
        reader.lose()
        return reader.service
