"""What an experiment has found: a table to read, and a picture of the receipts with the faults marked."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

from matplotlib.figure import Figure

from tests.chaos.experiment import Findings
from tests.chaos.history import Operation

WORDS = ("lost", "duplicated", "wrong", "unknown")
"""What a verdict may say, in the order of the table."""


def table(findings: Findings, operations: list[Operation]) -> str:
    """The numbers, and each broken promise in words."""
    outcomes = Counter(operation.outcome for operation in operations)
    told = [
        (word, f"{name}: {sentence}")
        for name, verdict in findings.verdicts.items()
        for word in WORDS
        for sentence in getattr(verdict, word)
    ]
    told += [("unknown", reason) for reason in findings.gave_up]
    broken = Counter(word for word, _ in told)
    rows = [
        ("seed", findings.seed),
        ("seconds of faults", f"{findings.seconds:.0f}"),
        ("faults injected", len(findings.suffered)),
        ("of these different", len({suffered.name for suffered in findings.suffered})),
        ("operations", len(operations)),
        ("acknowledged", outcomes["ok"]),
        ("refused", outcomes["fail"]),
        ("outcome unknown to the client", outcomes["info"]),
        ("claims deposited", len(findings.claims)),
        ("requests answered", sum(claim.answered for claim in findings.claims)),
        ("requests lapsed", sum(bool(c.request_id) and not c.answered for c in findings.claims)),
        ("longest stall, s", f"{longest_stall(findings):.1f}"),
        ("at rest after healing, s", f"{findings.healed_seconds:.1f}"),
        *((word.upper(), broken[word]) for word in WORDS),
    ]
    lines = [f"| {name} | {value} |" for name, value in rows]
    return "\n".join(["| what | |", "|---|---|", *lines, "", *(f"- {sentence}" for _, sentence in told)])


def longest_stall(findings: Findings) -> float:
    """The longest time without a receipt, in seconds."""
    at = [0.0, *sorted(findings.receipts)]
    return max((later - earlier for earlier, later in pairwise(at)), default=0.0)


def draw(findings: Findings, file: Path) -> None:
    """Receipts a second over time, as SVG; each fault is a bar below."""
    figure = Figure(figsize=(12, 8), layout="tight")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2))
    end = int(max([findings.seconds, *findings.receipts])) + 1
    above.hist(findings.receipts, bins=range(end + 1), color="#2b6cb0")
    above.set_ylabel("claims deposited a second")
    names = sorted({suffered.name for suffered in findings.suffered})
    for suffered in findings.suffered:
        below.barh(
            names.index(suffered.name), suffered.ended - suffered.began, left=suffered.began, color="#c53030"
        )
    below.set_yticks(range(len(names)), names, fontsize=6)
    below.set_xlabel(f"seconds; seed {findings.seed}")
    figure.savefig(file)
