"""What tracing costs the request that opens a dossier: two of its programs, one of them traced, in turns."""

import math
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import httpx

from benchmarks.finding import Finding
from benchmarks.ground import ground
from benchmarks.people import People
from espace_stack.testing.otlp import receiving
from tests.e2e.claims import QUESTION

PAIRS, REQUESTS = 240, 20
GOAL = 0.03
NORMAL_95 = 1.96


def run() -> Iterator[Finding]:
    """The mean of pairs with its interval; the low end of the interval is what must not exceed the goal."""
    with ground() as at, ExitStack() as running:
        (app,) = People(at).apps(1)
        running.callback(app.http.close)
        receiver = running.enter_context(receiving())
        plain = running.enter_context(at.api("dossier"))
        traced = running.enter_context(at.api("dossier", ESPACE_OTLP_ENDPOINT=receiver.url))
        headers = {"Authorization": f"Bearer {app.tokens['access_token']}"}
        for url in (plain, traced):
            _seconds(url, headers)
        ratios = []
        for turn in range(PAIRS):
            order = (plain, traced) if turn % 2 else (traced, plain)
            took = {url: _seconds(url, headers) for url in order}
            ratios.append(math.log(took[traced] / took[plain]))
        recorded = len(receiver.spans())
    if not recorded:
        raise RuntimeError("nothing was recorded: this would measure nothing")
    middle = statistics.fmean(ratios)
    half = NORMAL_95 * statistics.stdev(ratios) / math.sqrt(PAIRS)
    low, mean, high = (math.exp(value) for value in (middle - half, middle, middle + half))
    yield Finding(
        what="opening a dossier, traced; time, low end of the 95 % interval",
        ours=low,
        peer=1.0,
        peer_name="not traced",
        goal=1 + GOAL,
        at_most=True,
        why=f"mean {mean:.3f}, {low:.3f} to {high:.3f}; {PAIRS} pairs of {REQUESTS}",
    )


def _seconds(url: str, headers: dict[str, str]) -> float:
    """Time for a block of requests over one connection, each as a client that is not traced sends it."""
    with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
        began = time.perf_counter()
        for _ in range(REQUESTS):
            key = {"Idempotency-Key": str(uuid4())}
            client.post(
                "/api/dossier/v1/dossiers", json={"procedure": QUESTION}, headers=key
            ).raise_for_status()
        return time.perf_counter() - began
