"""Complete claims through the gateway, everything on one machine: how many a second, and what they cost."""

import threading
import time
from collections.abc import Callable, Iterator

from benchmarks.claim import Claim
from benchmarks.finding import Finding
from benchmarks.ground import Ground, ground
from benchmarks.lean import Lean
from benchmarks.people import People, side_by_side
from benchmarks.spent import Spent, told
from espace_stack.testing.platform import Platform
from tests.e2e.pdfs import signed_claim

WARM, COUNT = 10, 60
Journey = Callable[[int], str]
"""Files the claim of the citizen of that number; the number of the receipt."""


def run() -> Iterator[Finding]:
    """Over the API, as a mobile application."""
    with ground() as at:
        apps = People(at).apps(WARM + COUNT)
        files = [signed_claim() for _ in apps]
        own = threading.local()

        def journey(number: int) -> str:
            if not hasattr(own, "client"):
                own.client = Lean(at.stack.url("gateway"))
            return Claim(own.client, str(apps[number].tokens["access_token"]), files[number]).file()

        yield from measured(at, journey, "over the API", goal=30)


def measured(at: Ground, journey: Journey, how: str, *, goal: float) -> Iterator[Finding]:
    """File ``WARM`` claims, then ``COUNT`` that count; nothing of them may be lost."""
    platform = Platform(at.stack)
    known = _filed(journey, range(WARM))
    platform.settle(120)
    spent = Spent(at.stack)
    began = time.monotonic()
    numbers = _filed(journey, range(WARM, WARM + COUNT))
    took = time.monotonic() - began
    platform.settle(300)
    settled = time.monotonic() - began - took
    cost = spent.seconds()
    check(at, known | numbers)
    yield Finding(
        what=f"complete claims {how} through the gateway, journeys/s",
        ours=COUNT / took,
        goal=goal,
        why=f"{told(cost, COUNT)}; all mails, events and manifests {settled:.1f} s after the last receipt",
    )
    yield Finding(what=f"processor time of a claim {how}, ms", ours=1000 * sum(cost.values()) / COUNT)


def check(at: Ground, numbers: set[str]) -> None:
    """Each receipt has its row, its event, its mail that was sent and its manifest, once.

    Raises:
        RuntimeError: something is missing, or too much.
    """
    count = WARM + COUNT
    stored = {
        number for (number,) in at.rows("dossier", "SELECT number FROM dossiers WHERE number IS NOT NULL")
    }
    found = {
        "receipts": len(numbers),
        "dossiers": len(stored & numbers),
        "events": _one(at, "dossier", "event_log WHERE type = 'be.espace.dossier.submitted.v1'"),
        "mails": _one(at, "notifier", "notifications WHERE template = 'receipt' AND state = 'sent'"),
        "manifests": _one(at, "documents", "manifests WHERE written_at IS NOT NULL"),
    }
    if set(found.values()) != {count}:
        raise RuntimeError(f"{count} claims were filed: {found}")


def _one(at: Ground, service: str, table: str) -> int:
    ((count,),) = at.rows(service, f"SELECT count(*) FROM {table}")
    return int(count)


def _filed(journey: Journey, numbers: range) -> set[str]:
    """Their receipts; some citizens are on their way at any time."""
    receipts = set(side_by_side(lambda place: journey(numbers[place]), len(numbers)))
    if len(receipts) != len(numbers):
        raise RuntimeError(f"{len(receipts)} receipts of {len(numbers)} claims")
    return receipts
