"""What the platform costs while nobody uses it, and whether it grows while it is used."""

import time
from collections.abc import Iterator

from benchmarks.claim import Claim
from benchmarks.finding import Finding
from benchmarks.ground import Ground, ground
from benchmarks.lean import Lean
from benchmarks.people import People
from benchmarks.spent import CLIENTS, Spent
from tests.e2e.pdfs import signed_claim

CALM_SECONDS, SECONDS = 20, 60
HOUR_SECONDS, WARM_SECONDS = 3600, 600
ROUND = 20
CLAIMS_A_SECOND = 1.0
"""Of the hour: about a fifth of two cores, and as many on a faster machine."""
GROWTH = 1.1
"""Memory is not the same twice: what is within a tenth has not grown."""


def run() -> Iterator[Finding]:
    """Everything started, nobody there."""
    with ground() as at:
        time.sleep(CALM_SECONDS)
        spent = Spent(at.stack)
        time.sleep(SECONDS)
        seconds = {name: value for name, value in spent.seconds().items() if name != CLIENTS}
    most = ", ".join(f"{name} {100 * value / SECONDS:.1f}" for name, value in list(seconds.items())[:6])
    yield Finding(
        what="the platform idle, % of a core",
        ours=100 * sum(seconds.values()) / SECONDS,
        goal=5,
        at_most=True,
        why=most,
    )


def run_hour() -> Iterator[Finding]:
    """An hour of claims; memory after ten minutes against memory at the end, the process that grew most."""
    with ground() as at:
        people, client = People(at), Lean(at.stack.url("gateway"))
        filed, began = 0, time.monotonic()
        early: dict[str, int] = {}
        while time.monotonic() - began < HOUR_SECONDS:
            for app in people.apps(ROUND):
                Claim(client, str(app.tokens["access_token"]), signed_claim()).file()
                app.http.close()
                filed += 1
            time.sleep(max(0.0, began + filed / CLAIMS_A_SECOND - time.monotonic()))
            if not early and time.monotonic() - began > WARM_SECONDS:
                early = _memory(at)
        late = _memory(at)
    grown = sorted(((late[name] / early[name], name) for name in early), reverse=True)
    yield Finding(
        what="memory after an hour of claims to memory after ten minutes, the part that grew most",
        ours=grown[0][0],
        peer=1.0,
        peer_name=grown[0][1],
        goal=GROWTH,
        at_most=True,
        why=f"{filed} claims; then {', '.join(f'{name} {ratio:.2f}' for ratio, name in grown[1:4])}",
    )


def _memory(at: Ground) -> dict[str, int]:
    time.sleep(5)  # what the last claim left to do is done
    return {part.name: part.process.memory() for part in at.stack.parts if part.alive}
