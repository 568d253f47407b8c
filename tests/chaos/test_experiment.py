"""The experiment, short: few citizens, few faults, all judges. ``make chaos`` is ten minutes of all."""

import gc
import random
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from espace_stack.testing.platform import Platform
from tests.chaos.citizen import GaveUp, Journey
from tests.chaos.disk import may_mount
from tests.chaos.experiment import Experiment, Findings, proxied
from tests.chaos.history import History
from tests.chaos.proxied import PEOPLE
from tests.chaos.report import draw, table
from tests.e2e.claims import candidates

FAULTS = (
    "kill -9 dossier-api",
    "kill -9 dossier-worker",
    "dossier-worker dies at relay.after_confirm",
    "documents-api: answers_lost",
    "postgres: cut",
    "rabbitmq: half_open",
    "the database's connections are ended",
    "smtp answers 4xx",
    "two of scheduler-worker",
    "duplicates, reordered, and poison on the bus",
    "the clock of scheduler-worker is an hour ahead",
)


@pytest.mark.asynchronous
@pytest.mark.timeout(300)
def test_nothing_acknowledged_is_lost_and_nothing_happens_twice(tmp_path: Path) -> None:
    findings, _ = kept(tmp_path, FAULTS, seconds=25, fault_seconds=(0.3, 1.5))
    assert len(findings.suffered) >= 5
    draw(findings, tmp_path / "throughput.svg")
    assert "<svg" in (tmp_path / "throughput.svg").read_text()


@pytest.mark.long
@pytest.mark.skipif(not may_mount(), reason="only root can mount a disk")
def test_a_disk_that_is_full_to_its_last_byte_loses_nothing(tmp_path: Path) -> None:
    full = ["the database's disk is full"]
    _, log = kept(tmp_path, full, seconds=40, fault_seconds=(3, 8), own_disk=True)
    assert "No space left on device" in log


def test_citizens_wait_no_longer_once_it_is_broken_off(tmp_path: Path) -> None:
    broken_off = threading.Event()
    broken_off.set()
    nowhere = cast(Platform, SimpleNamespace(public_url="http://127.0.0.1:9"))
    person = candidates(PEOPLE)[0]
    journey = Journey(nowhere, person, History(tmp_path / "history.jsonl"), random.Random(1), broken_off)
    with pytest.raises(GaveUp, match="broken off"):
        journey.run()


def kept(
    folder: Path,
    faults: Sequence[str],
    *,
    seconds: float,
    fault_seconds: tuple[float, float],
    own_disk: bool = False,
) -> tuple[Findings, str]:
    """Three citizens and these faults, and every promise kept; with what PostgreSQL has logged."""
    history, seed = History(folder / "history.jsonl"), secrets.randbelow(10**6)
    with proxied(own_disk=own_disk) as (platform, known):
        findings = Experiment(
            platform,
            history,
            known.named(faults),
            seed=seed,
            citizens=3,
            seconds=seconds,
            fault_seconds=fault_seconds,
        ).run()
        log = (platform.stack.folder / "logs" / "postgres.log").read_text()
    gc.collect()  # what somebody has left open shows here, and not in another test
    assert findings.kept, table(findings, history.operations())
    assert findings.claims
    return findings, log
