"""Citizens file claims while everything breaks, by one seed; then all is healed, looked at, and judged."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from espace_stack.reaper import clear, private_folder
from espace_stack.testing.platform import Platform
from login_simulator.citizens import Citizen
from tests.chaos import gather
from tests.chaos.checkers import Verdict, reads, submissions
from tests.chaos.citizen import Claim, GaveUp, Journey
from tests.chaos.disk import small_disk
from tests.chaos.faults import Fault, Faults
from tests.chaos.history import History
from tests.chaos.proxied import PEOPLE, ProxiedStack
from tests.chaos.proxy import Proxies
from tests.e2e.claims import candidates

AFTER_THE_DUE_DATE = timedelta(days=12)
LATE = timedelta(days=14)
"""Legal time is moved over the due dates at once: a deadline fires that late, as the clock tells it."""
HEALED_SECONDS = 120.0
Report = Callable[[str], None]


@dataclass(frozen=True)
class Suffered:
    """A fault as it was: seconds since the beginning."""

    name: str
    began: float
    ended: float


@dataclass
class Findings:
    """What became of an experiment."""

    seed: int
    seconds: float
    claims: list[Claim] = field(default_factory=list)
    gave_up: list[str] = field(default_factory=list)
    suffered: list[Suffered] = field(default_factory=list)
    receipts: list[float] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    healed_seconds: float = 0.0

    @property
    def kept(self) -> bool:
        """Whether every promise was kept, and every citizen served."""
        return not self.gave_up and all(verdict.kept for verdict in self.verdicts.values())


class Experiment:
    """One run.

    Args:
        faults: what may happen; their order and lengths are the seed's.
        citizens: how many at once.
        seconds: for how long new journeys begin and faults happen.
        fault_seconds: the shortest and the longest time that a fault lasts.
    """

    def __init__(
        self,
        platform: Platform,
        history: History,
        faults: Iterable[Fault],
        *,
        seed: int,
        citizens: int,
        seconds: float,
        fault_seconds: tuple[float, float] = (0.5, 5.0),
        report: Report = lambda _: None,
    ) -> None:
        self._platform, self._history, self._report = platform, history, report
        self._faults = list(faults)
        self._citizens, self._seconds, self._fault_seconds = citizens, seconds, fault_seconds
        self._choices = random.Random(seed)
        self._people = _people(self._choices)
        self._began = 0.0
        self._broken_off = threading.Event()
        self._ambiguous = 0
        self.findings = Findings(seed, seconds)

    def run(self) -> Findings:
        """Everything, to the verdicts."""
        self._began = time.monotonic()
        with ThreadPoolExecutor(self._citizens) as pool:
            choices = [random.Random(self._choices.random()) for _ in range(self._citizens)]
            filing = [pool.submit(self._file, mine) for mine in choices]
            try:
                self._break()
                self._platform.heal()
            except BaseException:
                self._broken_off.set()
                raise
            for citizen in filing:
                citizen.result()
        self._lapse()
        healing = time.monotonic()
        self._platform.settle(HEALED_SECONDS)
        self.findings.healed_seconds = time.monotonic() - healing
        self._judge()
        return self.findings

    def _file(self, choices: random.Random) -> None:
        """One citizen after the other, until the time is over."""
        while time.monotonic() < self._began + self._seconds and not self._broken_off.is_set():
            journey = Journey(self._platform, self._people.pop(), self._history, choices, self._broken_off)
            try:
                self.findings.claims.append(journey.run())
                self.findings.receipts.append(time.monotonic() - self._began)
            except GaveUp as reason:
                self.findings.gave_up.append(str(reason))

    def _break(self) -> None:
        """One fault after the other, in the seed's order, until the time is over."""
        pause = threading.Event()
        order: list[Fault] = []
        while time.monotonic() < self._began + self._seconds:
            order = order or self._choices.sample(self._faults, len(self._faults))
            fault = order.pop()
            began = time.monotonic() - self._began
            repair = fault.begin()
            pause.wait(self._choices.uniform(*self._fault_seconds))
            repair()
            ended = time.monotonic() - self._began
            self._ambiguous += fault.ambiguous
            self.findings.suffered.append(Suffered(fault.name, began, ended))
            count = len(self.findings.claims)
            self._report(f"[{ended:5.0f} s] {fault.name} ({ended - began:.1f} s), {count} claims")

    def _lapse(self) -> None:
        """Legal time goes on beyond all due dates; the scheduler dies in the middle of it."""
        self._platform.settle(HEALED_SECONDS)
        self._platform.arm_crash("scheduler-worker", "scheduler.while_firing")
        self._platform.legal.travel(self._platform.legal.now() + AFTER_THE_DUE_DATE)
        if any(claim.request_id and not claim.answered for claim in self.findings.claims):
            self._platform.wait_crashed("scheduler-worker")
        self._platform.heal()

    def _judge(self) -> None:
        operations = self._history.operations()
        platform, claims = self._platform, self.findings.claims
        self.findings.verdicts = {
            "submissions": submissions(operations, gather.deposits(platform)),
            "reads": reads(operations),
            "files": gather.files_whole(platform, operations),
            "mails": gather.mails_once(platform, claims, self._ambiguous),
            "deadlines": gather.deadlines_kept(platform, late=LATE),
            "status": gather.lives_legal(platform),
            "conservation": gather.events_conserved(platform),
            "lapses": gather.lapsed(platform, claims),
        }


@contextmanager
def proxied(report: Report = lambda _: None, *, own_disk: bool = False) -> Iterator[tuple[Platform, Faults]]:
    """A platform of its own, each part behind a proxy, and what can be done to it; gone afterwards.

    Args:
        own_disk: the database has a disk of its own, which can be filled; for root.
    """
    proxies = Proxies()
    try:
        with ExitStack() as opened:
            disk = None
            folder = opened.enter_context(private_folder("espace-chaos-", in_memory=True))
            if own_disk:
                disk = folder / "postgres"
                opened.enter_context(small_disk(disk))
                opened.callback(clear, folder)
            stack = ProxiedStack(folder, proxies, report)
            stack.start()
            platform = Platform(stack)
            yield platform, Faults(platform, proxies, disk)
    finally:
        proxies.close()


def _people(choices: random.Random) -> list[Citizen]:
    """Candidates whose report is of the 13th, in the seed's order."""
    people = candidates(PEOPLE)
    choices.shuffle(people)
    return people
