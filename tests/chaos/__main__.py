"""``make chaos``: ten minutes of citizens and of everything that can go wrong; ``SEED=`` repeats a run.

Writes ``test-results/chaos/``: the history, the report and its picture. Ends with 1 when a promise was broken
or when nobody can tell.
"""

import argparse
import secrets
import shutil
import sys

from espace_stack.layout import ROOT
from tests.chaos.disk import may_mount
from tests.chaos.experiment import Experiment, Findings, proxied
from tests.chaos.history import History
from tests.chaos.report import draw, table

RESULTS = ROOT / "test-results" / "chaos"


def main() -> int:
    """Run it; 0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--citizens", type=int, default=8)
    parser.add_argument("--only", action="append", help="a fault by its name; may be repeated", default=[])
    asked = parser.parse_args()
    seed = secrets.randbelow(10**6) if asked.seed is None else asked.seed
    print(f"seed {seed}", flush=True)
    shutil.rmtree(RESULTS, ignore_errors=True)
    RESULTS.mkdir(parents=True)
    history = History(RESULTS / "history.jsonl")
    findings = _run(history, seed, asked)
    report = table(findings, history.operations())
    (RESULTS / "report.md").write_text(report + "\n", encoding="utf-8")
    draw(findings, RESULTS / "throughput.svg")
    print(report)
    print(f"\n{RESULTS}")
    return 0 if findings.kept else 1


def _run(history: History, seed: int, asked: argparse.Namespace) -> Findings:
    own_disk = may_mount()
    if not own_disk:
        _say("left out, because only root can mount a disk: the database's disk is full")
    with proxied(_say, own_disk=own_disk) as (platform, faults):
        try:
            return Experiment(
                platform,
                history,
                faults.named(asked.only) if asked.only else faults.all(),
                seed=seed,
                citizens=asked.citizens,
                seconds=asked.seconds,
                report=_say,
            ).run()
        finally:
            shutil.copytree(platform.stack.folder / "logs", RESULTS / "logs")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
