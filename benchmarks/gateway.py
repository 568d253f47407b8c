"""What the gateway costs: requests through it against the same requests made directly."""

import http.client
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from benchmarks.finding import Finding
from benchmarks.turns import in_turns
from espace_stack.parts.mailbox import MailboxPart
from espace_stack.parts.programs import GatewayPart
from espace_stack.ports import Ports
from espace_stack.reaper import private_folder

REQUESTS = 400


def run() -> Iterator[Finding]:
    """Both ways in turns."""
    with private_folder("espace-bench-") as folder, Behind(folder, Ports(folder / "ports.json")) as behind:
        found = in_turns({"through": behind.through, "direct": behind.direct}, rounds=5)
    yield Finding(
        what="GET through the gateway, requests/s",
        ours=found["through"],
        peer=found["direct"],
        peer_name="without it",
        goal=0.2,
    )


class Behind:
    """A small program (the mail catcher) and a gateway before it."""

    def __init__(self, folder: Path, ports: Ports) -> None:
        self._program = MailboxPart(folder, ports)
        self._gateway = GatewayPart(folder, ports, lambda _: self._program.url, rate=100_000)
        self._ports = ports

    def __enter__(self) -> "Behind":
        self._program.start()
        self._gateway.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gateway.kill()
        self._program.kill()

    def through(self) -> float:
        """Requests a second through the gateway."""
        return _rate(self._ports["gateway"])

    def direct(self) -> float:
        """Requests a second without it."""
        return _rate(self._ports["mailbox"])


def _rate(port: int) -> float:
    began = time.monotonic()
    for _ in range(REQUESTS):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/api/switches")
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} on port {port}")
        connection.close()
    return REQUESTS / (time.monotonic() - began)
