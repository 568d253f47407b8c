"""``make bench``: starts private servers, measures ours and a peer in turns, prints the ratio of medians."""

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import gateway, publishing, tracing
from espace_stack.reaper import reaped
from espace_stack.servers import Servers

ROUNDS = 5


@dataclass(frozen=True)
class Bench:
    """Two ways to do the same; each call returns how many things a second it did."""

    what: str
    ours: Callable[[], float]
    peer: Callable[[], float]
    peer_name: str
    at_least: float


def main() -> int:
    """Run every bench; 1 when a ratio is below its floor."""
    with tempfile.TemporaryDirectory(prefix="espace-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        servers = Servers(folder, private=True)
        with reaped(folder):
            servers.start()
            with gateway.Behind(folder, servers.ports) as behind:
                benches = [
                    Bench(
                        "publish with confirms, messages/s",
                        lambda: publishing.pipelined(servers.addresses.amqp),
                        lambda: publishing.one_by_one(servers.addresses.amqp),
                        "a confirm each",
                        1.5,
                    ),
                    Bench(
                        "GET through the gateway, requests/s", behind.through, behind.direct, "direct", 0.2
                    ),
                ]
                below = max([measure(bench) for bench in benches])
            return max(below, tracing.cost(folder / "platform"))


def measure(bench: Bench) -> int:
    """Take turns, so that a slow minute hits both; print medians and their ratio."""
    bench.ours(), bench.peer()
    pairs = [(bench.ours(), bench.peer()) for _ in range(ROUNDS)]
    ours, peer = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = ours / peer
    verdict = "ok" if ratio >= bench.at_least else f"BELOW {bench.at_least}"
    print(f"{bench.what}: {ours:,.0f} against {peer:,.0f} ({bench.peer_name}): {ratio:.2f} times, {verdict}")
    return 0 if ratio >= bench.at_least else 1


if __name__ == "__main__":
    raise SystemExit(main())
