"""What can be done in a house: one step of one of its loops, or of a citizen."""

from collections.abc import Sequence
from random import Random
from typing import Final

from deadline_scheduler_service.firing import fire_due
from documents_service.commands.deposit import write_manifest
from documents_service.commands.scan import scan_next
from dossier_service.claims.commands.drafting import NotOffered
from dossier_service.claims.commands.extending import extend_requests
from espace.bus.handling import Delivery
from tests.chaos.checkers import Firing
from tests.simulation.citizen import Citizen
from tests.simulation.crashing import Killed
from tests.simulation.house import PUBLISHERS, House
from tests.simulation.mishaps import Mishaps

CITIZENS: Final = 4
_FIRED: Final = (
    "select subject, version from event_log where type = 'be.espace.deadline.expired.v1' order by position"
)


class Acts:
    """Each returns what it came to, or nothing when there was nothing to do.

    ``firings`` are the deadlines that have fired, with the legal instant at which they did.
    """

    def __init__(self, house: House, random: Random, mishaps: Mishaps) -> None:
        self.citizens: list[Citizen] = []
        self.firings: list[Firing] = []
        self._house, self._random, self._mishaps = house, random, mishaps

    def come(self) -> str:
        """Another citizen, with a draft that only waits for its deposit."""
        if len(self.citizens) >= CITIZENS:
            return ""
        try:
            self.citizens.append(Citizen(self._house, asks=self._random.random() < 0.8))
        except NotOffered:
            return "too late"
        return str(self.citizens[-1].dossier_id)

    def ask(self, citizen: Citizen | None = None, step: int = 0) -> str:
        """A citizen's next request, or the one that was not answered once more."""
        eager = citizen is not None
        citizen = citizen or self._random.choice(self.citizens)
        self._mishaps.commit("dossier", number=2)
        told = citizen.act(
            step,
            withdraws=not eager and self._random.random() < 0.07,
            waits=not eager and self._random.random() < 0.75,
        )
        armed = self._mishaps.over(told)
        return armed if told else ""

    def read(self, step: int) -> str:
        """A look at a dossier."""
        return self._random.choice(self.citizens).read(step)

    def deliver(self) -> str:
        """One of the letters that readers have in hand."""
        busy = [reader for reader in self._house.readers.values() if not reader.idle]
        if not busy:
            return ""
        reader = self._random.choice(busy)
        self._mishaps.commit(reader.service)
        self._mishaps.crash("consumer.before_commit", "consumer.after_commit")
        lost = self._mishaps.happens(0.5)
        try:
            told = reader.handle(self._choose, patience=self._random.randint(0, 1), lost=lost)
        except Killed:
            reader.lose()
            told = "dead"
        return self._mishaps.over(f"{reader.service} {told}")

    def publish(self, service: str = "") -> str:
        """A relay's turn."""
        service = service or self._random.choice(PUBLISHERS)
        relay, line = self._house.relays[service], self._house.lines[service]
        sent = self._random.randint(0, 4)
        heard = self._random.randint(0, sent)
        self._mishaps.crash("relay.before_publish", "relay.after_confirm")
        self._mishaps.other(f"{sent} sent, {heard} heard", lambda: line.break_at(sent, heard))
        self._mishaps.other(
            "its database is lost before it deletes",
            lambda: self._mishaps.points.arm("relay.after_confirm", lambda: relay._leader.connection.close()),
        )
        try:
            told = str(relay.turn())
        except Killed:
            self._house.restart_relay(service)
            told = "dead"
        line.sound()
        return self._mishaps.over(f"{service} {told}")

    def tick(self) -> str:
        """The scheduler looks what is due."""
        self._mishaps.commit("scheduler")
        self._mishaps.crash("scheduler.while_firing")
        told = self._mishaps.survived(lambda: fire_due(self._house.databases["scheduler"], self._house.clock))
        fired = self._house.rows("scheduler", _FIRED)[len(self.firings) :]
        now = self._house.clock.instant
        self.firings += [Firing(subject, version, now) for subject, version in fired]
        return self._mishaps.over(f"{told}, fired {len(fired)}")

    def send(self) -> str:
        """The notifier's next message."""
        mail = self._house.mail
        self._mishaps.commit("notifier", number=2)
        self._mishaps.crash("notifier.before_data", "notifier.after_smtp_250")
        self._mishaps.other("the mail server says 451", lambda: mail.be("451"))
        self._mishaps.other("the mail server says 550", lambda: mail.be("550"), 0.2)
        self._mishaps.other("the mail server is lost after DATA", lambda: mail.be("lost"))
        told = self._mishaps.survived(self._house.sender.step)
        mail.be("")
        return self._mishaps.over(told)

    def scan(self) -> str:
        """The next file that waits for its scan."""
        self._mishaps.commit("documents", number=2)
        return self._mishaps.over(self._mishaps.survived(lambda: scan_next(self._house.documents_desk)))

    def seal(self) -> str:
        """The next manifest that is not in the store."""
        self._mishaps.commit("documents")
        return self._mishaps.over(self._mishaps.survived(lambda: write_manifest(self._house.documents_desk)))

    def extend(self) -> str:
        """More time for whoever is due on some day."""
        due = self._house.rows("dossier", "select distinct due_date from information_requests order by 1")
        if not due:
            return ""
        (day,) = self._random.choice(due)
        days = self._random.randint(1, 3)
        self._mishaps.commit("dossier")
        database, desk = self._house.databases["dossier"], self._house.dossier_desk
        told = self._mishaps.survived(lambda: len(extend_requests(database, desk, day, day, days)))
        return self._mishaps.over(f"{day} by {days} days: {told}")

    def _choose(self, deliveries: Sequence[Delivery]) -> Delivery:
        return self._random.choice(deliveries)
