"""What the table of the benches says of a number."""

import json
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.finding import Finding
from benchmarks.turns import in_turns, percentile


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (Finding(what="w", ours=5), "reported"),
        (Finding(what="w", ours=5, goal=4), "met"),
        (Finding(what="w", ours=3, goal=4), "missed"),
        (Finding(what="w", ours=5, goal=4, at_most=True), "missed"),
        (Finding(what="w", ours=0, goal=4, at_most=True), "met"),
        (Finding(what="w", ours=6, peer=2, goal=3), "met"),
        (Finding(what="w", ours=5, peer=2, goal=3), "RED"),
        (Finding(what="w", ours=5, peer=2, goal=2, at_most=True), "RED"),
        (Finding(what="w", ours=5, peer=2), "reported"),
    ],
)
def test_a_ratio_that_is_missed_is_red_and_an_absolute_is_only_missed(finding: Finding, verdict: str) -> None:
    assert finding.verdict == verdict


def test_percentiles_are_measured_values() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)) == (50, 99, 100)
    assert percentile([7.0], 0.95) == 7


def test_all_take_turns_and_the_median_counts() -> None:
    order: list[str] = []
    numbers = {"ours": iter([1.0, 9.0, 2.0]), "peer": iter([3.0, 3.0, 8.0])}

    def measure(name: str) -> float:
        order.append(name)
        return next(numbers[name])

    found = in_turns({"ours": lambda: measure("ours"), "peer": lambda: measure("peer")}, rounds=3)
    assert found == {"ours": 2.0, "peer": 3.0}
    assert order == ["ours", "peer"] * 3


def test_a_family_measured_again_replaces_itself_and_leaves_the_others(tmp_path: Path) -> None:
    report.keep("relay", [Finding(what="slow", ours=1, goal=2)], others=0.1, folder=tmp_path)
    report.keep("idle", [Finding(what="calm", ours=1, goal=2, at_most=True)], others=0.2, folder=tmp_path)
    report.keep("relay", [Finding(what="fast", ours=3, goal=2)], others=0.3, folder=tmp_path)
    text = (tmp_path / "results.md").read_text()
    assert "slow" not in text
    assert "| fast | 3 |  |  | ≥ 2 | met |" in text
    assert "| calm | 1 |  |  | ≤ 2 | met |" in text
    assert json.loads((tmp_path / "results.json").read_text())["relay"]["others"] == 0.3
    assert (tmp_path / "results.svg").read_text().count("<svg") == 1
