"""What was found: a table, a drawing, and a file from which both are made again when one family is."""

import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks.finding import Finding, number
from espace.clock import utcnow

RESULTS = Path(__file__).parent / "results"
CORES = "two cores"
COLOURS = {"met": "#2f855a", "missed": "#dd6b20", "RED": "#c53030"}


def keep(family: str, findings: list[Finding], *, others: float, folder: Path = RESULTS) -> None:
    """Replace what is known of ``family``, then table and drawing of all.

    Args:
        others: cores that were busy with something else.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "results.json"
    known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    known[family] = {
        "measured": f"{utcnow():%Y-%m-%d}",
        "others": round(others, 1),
        "findings": [finding.data() for finding in findings],
    }
    file.write_text(json.dumps(known, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    every = {name: [Finding.read(one) for one in known[name]["findings"]] for name in known}
    parts = [
        f"## {name}\n\nMeasured {known[name]['measured']} on {CORES}, of which something else kept "
        f"{known[name]['others']} busy before or after.\n\n{table(found)}\n"
        for name, found in every.items()
    ]
    (folder / "results.md").write_text("\n".join(parts))
    draw([finding for found in every.values() for finding in found], folder / "results.svg")


def table(findings: list[Finding]) -> str:
    """As Markdown."""
    lines = ["| what | ours | peer | ratio | goal | verdict |", "|---|---:|---|---:|---:|---|"]
    for finding in findings:
        peer = f"{number(finding.peer)} {finding.peer_name}".strip()
        sign = "≤" if finding.at_most else "≥"
        goal = "" if finding.goal is None else f"{sign} {number(finding.goal)}"
        verdict = f"{finding.verdict}{': ' + finding.why if finding.why else ''}"
        cells = (finding.what, number(finding.ours), peer, number(finding.ratio), goal, verdict)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(findings: list[Finding], file: Path) -> None:
    """How much of its goal each number reaches, as SVG; right of the line is enough."""
    judged = [(finding, finding.reached) for finding in findings if finding.reached is not None]
    figure = Figure(figsize=(11, 0.34 * len(judged) + 1.2), layout="tight")
    axes = figure.subplots()
    for row, (finding, reached) in enumerate(reversed(judged)):
        value = min(max(reached or 0.0, 0.01), 100.0)
        axes.barh(row, value - 1, left=1, color=COLOURS[finding.verdict])
    names = [f"{f.what}{f' / {f.peer_name}' if f.peer_name else ''}" for f, _ in reversed(judged)]
    axes.set_yticks(range(len(judged)), names, fontsize=7)
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xlabel("times its goal")
    figure.savefig(file, metadata={"Date": None})
