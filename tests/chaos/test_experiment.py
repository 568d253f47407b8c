"""The experiment, short: few citizens, few faults, all judges. ``make chaos`` is ten minutes of all."""

import gc
import secrets
from pathlib import Path

import pytest

from tests.chaos.disk import may_mount
from tests.chaos.experiment import Experiment, proxied
from tests.chaos.history import History
from tests.chaos.report import draw, table

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
    history, seed = History(tmp_path / "history.jsonl"), secrets.randbelow(10**6)
    with proxied() as (platform, faults):
        findings = Experiment(
            platform,
            history,
            faults.named(FAULTS),
            seed=seed,
            citizens=3,
            seconds=25,
            fault_seconds=(0.3, 1.5),
        ).run()
    gc.collect()  # what somebody has left open shows here, and not in another test
    assert findings.kept, table(findings, history.operations())
    assert findings.claims
    assert len(findings.suffered) >= 5
    draw(findings, tmp_path / "throughput.svg")
    assert "<svg" in (tmp_path / "throughput.svg").read_text()


@pytest.mark.long
@pytest.mark.skipif(not may_mount(), reason="only root can mount a disk")
def test_a_disk_that_is_full_to_its_last_byte_loses_nothing(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    with proxied(own_disk=True) as (platform, faults):
        findings = Experiment(
            platform,
            history,
            faults.named(["the database's disk is full"]),
            seed=secrets.randbelow(10**6),
            citizens=3,
            seconds=40,
            fault_seconds=(3, 8),
        ).run()
        log = (platform.stack.folder / "logs" / "postgres.log").read_text()
    gc.collect()
    assert findings.kept, table(findings, history.operations())
    assert findings.claims
    assert "No space left on device" in log
