"""``make bench``: all families of benches, or those of ``ONLY=relay,latency``; then a table and a drawing.

Absolute numbers are reported and may miss their goals; only ratios, which do not depend on the machine, make
the run red.
"""

import argparse
from collections.abc import Callable, Iterator

from benchmarks import (
    consuming,
    deadlines,
    gateway,
    idle,
    journeys,
    latency,
    lists,
    pages,
    posting,
    relay,
    report,
    tracing,
)
from benchmarks.busy import cores_busy
from benchmarks.finding import Finding

FAMILIES: dict[str, Callable[[], Iterator[Finding]]] = {
    "relay": relay.run,
    "latency": latency.run,
    "consumer": consuming.run,
    "deadlines": deadlines.run,
    "posting": posting.run,
    "journeys": journeys.run,
    "web": pages.run_claims,
    "pages": pages.run_pages,
    "idle": idle.run,
    "lists": lists.run,
    "gateway": gateway.run,
    "tracing": tracing.run,
}
LONG = {"hour": idle.run_hour}
"""Only when named."""


def main() -> int:
    """Run them one after the other; 1 when a ratio is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help=f"some of {', '.join(FAMILIES | LONG)}, with commas")
    options = parser.parse_args()
    wanted = [name for name in options.only.split(",") if name] or list(FAMILIES)
    known = FAMILIES | LONG
    if unknown := set(wanted) - known.keys():
        parser.error(f"no such family: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    every: list[Finding] = []
    for name in wanted:
        before = cores_busy()
        print(f"{name} … ({before:.1f} cores are busy with something else)", flush=True)
        found = list(known[name]())
        report.keep(name, found, others=max(before, cores_busy()))
        print(report.table(found), flush=True)
        every += found
    if len(wanted) > 1:
        print(f"\n{report.table(every)}")
    return 1 if any(finding.verdict == "RED" for finding in every) else 0


if __name__ == "__main__":
    raise SystemExit(main())
