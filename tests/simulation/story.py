"""A story: what is done and what happens, one after the other, as a seed decides."""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Final

from tests.simulation.acts import Acts
from tests.simulation.house import PUBLISHERS, House
from tests.simulation.mishaps import Mishaps
from tests.simulation.nature import Nature
from tests.simulation.seeded import seeded

STEPS: Final = 80
ROUNDS: Final = 60
"""After so many rounds in which everything had its turn, whatever still waits waits for ever."""


class Story:
    """One seed's story; ``trace`` tells it, line by line.

    ``at_rest`` says whether nothing was left to do at the end.
    """

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.seed = house, seed
        self.trace: list[str] = []
        self.at_rest = False
        self._random = Random(seed)
        self._mishaps = Mishaps(house, self._random)
        self.nature = Nature(house, self._random)
        self.acts = Acts(house, self._random, self._mishaps)

    def run(self, steps: int = STEPS) -> None:
        """Tell it to its end: everything is mended, and what is under way arrives."""
        self.house.empty()
        acts, nature = self.acts, self.nature
        kinds: dict[str, tuple[float, Callable[[], str]]] = {
            "come": (1, acts.come),
            "ask": (5, lambda: acts.ask(step=self._step)),
            "read": (0.6, lambda: acts.read(self._step)),
            "deliver": (10, acts.deliver),
            "publish": (7, acts.publish),
            "tick": (3, acts.tick),
            "send": (3, acts.send),
            "scan": (0.7, acts.scan),
            "seal": (0.7, acts.seal),
            "extend": (0.6, acts.extend),
            "time": (2, nature.time),
            "seconds": (1.5, nature.seconds),
            "again": (1.5, nature.again),
            "poison": (0.3, nature.poison),
            "limit": (0.7, nature.limit),
            "cut": (0.5, nature.cut),
        }
        names, weights = list(kinds), [weight for weight, _ in kinds.values()]
        with seeded(self._random), self._mishaps.points.watched():
            for _ in range(2):
                self._tell("come", acts.come)
            while self._step <= steps:
                (name,) = self._random.choices(names, weights)
                self._tell(name, kinds[name][1])
            self._end()

    @property
    def _step(self) -> int:
        return len(self.trace) + 1

    def _tell(self, name: str, act: Callable[[], str]) -> str:
        """Do it; what came to nothing is no step."""
        step = self._step
        told = act()
        if told:
            self.trace.append(f"{step:4} {name} {told}")
        return told

    def _end(self) -> None:
        """Mend everything; let what is under way arrive; then let every deadline come, and arrive as well."""
        self._mishaps.mended = True
        self.house.broker.unlimit()
        self._settle()
        self.house.clock.move(timedelta(days=30))
        self._settle()

    def _settle(self) -> None:
        """Let everything have its turn until nothing has anything to do."""
        acts = self.acts
        for _ in range(ROUNDS):
            for citizen in acts.citizens:
                while citizen.pending:
                    self._tell("ask", lambda citizen=citizen: acts.ask(citizen, self._step))  # type: ignore[misc]
            for service in PUBLISHERS:
                self._tell("publish", lambda service=service: acts.publish(service))  # type: ignore[misc]
            while self._tell("deliver", acts.deliver):
                pass
            for name, act in (
                ("tick", acts.tick),
                ("send", acts.send),
                ("scan", acts.scan),
                ("seal", acts.seal),
            ):
                while "True" in self._tell(name, act):
                    pass
            self.at_rest = self._rests()
            if self.at_rest:
                return
            self._tell("seconds", lambda: self.nature.seconds(60.0))

    def _rests(self) -> bool:
        """Whether nothing is due, nothing on its way, and nobody waits for an answer."""
        waiting = [self.house.rows(service, "select 1 from outbox limit 1") for service in PUBLISHERS]
        mails = "select 1 from notifications where state in ('created', 'sending', 'temporary') limit 1"
        waiting.append(self.house.rows("notifier", mails))
        return self.house.broker.at_rest and not any(waiting)
