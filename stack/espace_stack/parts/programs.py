"""Our own programs and the gateway as parts."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from espace_stack.layout import BUCKET, ROOT, SYNTHETIC, ProgramName
from espace_stack.part import Part
from espace_stack.ports import Ports
from espace_stack.probe import status_of

GATEWAY_FILES = ROOT / "gateway"


class ProgramPart(Part):
    """``python -m <package> api`` or ``worker``; ready when its ``/readyz`` says so."""

    start_seconds = 90
    stop_seconds = 30

    def __init__(
        self, program: ProgramName, folder: Path, ports: Ports, settings: Callable[[], dict[str, str]]
    ) -> None:
        super().__init__(program.name, folder, ports)
        self.program = program
        self._settings = settings
        self.port_names = (program.name,)

    @property
    def port(self) -> int:
        """Where it serves (a worker: its probes and metrics)."""
        return self.ports[self.name]

    def command(self) -> list[str]:
        base = [sys.executable, "-m", self.program.package]
        return (
            [*base, "worker"] if self.program.role == "worker" else [*base, "api", "--port", str(self.port)]
        )

    def environment(self) -> dict[str, str]:
        return self._settings()

    def ready(self) -> bool:
        return status_of(f"http://127.0.0.1:{self.port}/readyz") == 200


class SimulatorPart(Part):
    """The login simulator."""

    stop_seconds = 8

    def __init__(self, folder: Path, ports: Ports, settings: Callable[[], dict[str, str]]) -> None:
        super().__init__("simulator", folder, ports)
        self._settings = settings
        self.port_names = ("simulator",)

    def command(self) -> list[str]:
        return [sys.executable, "-m", "login_simulator", "--port", str(self.ports["simulator"])]

    def environment(self) -> dict[str, str]:
        return self._settings()

    def ready(self) -> bool:
        return (
            status_of(f"http://127.0.0.1:{self.ports['simulator']}/.well-known/openid-configuration") == 200
        )


class SyntheticPart(Part):
    """The synthetic citizen; ready when it runs, whatever its journeys find."""

    def __init__(self, folder: Path, ports: Ports, settings: Callable[[], dict[str, str]]) -> None:
        super().__init__(SYNTHETIC[0], folder, ports)
        self._settings = settings
        self.port_names = (self.name,)

    def command(self) -> list[str]:
        return [sys.executable, "-m", SYNTHETIC[1]]

    def environment(self) -> dict[str, str]:
        return self._settings()

    def ready(self) -> bool:
        return status_of(f"http://127.0.0.1:{self.ports[self.name]}/livez") == 200


class GatewayPart(Part):
    """Traefik with the repository's files; only the addresses and the place of the routes are changed."""

    stop_seconds = 12

    def __init__(self, folder: Path, ports: Ports, url: Callable[[str], str], *, rate: int) -> None:
        super().__init__("gateway", folder, ports)
        self._url = url
        self._rate = rate
        self.port_names = ("gateway", "gateway-inside")
        self._home = folder / "gateway"

    def prepare(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        static: dict[str, Any] = yaml.safe_load((GATEWAY_FILES / "traefik.yml").read_text())
        static["entryPoints"]["web"]["address"] = f"127.0.0.1:{self.ports['gateway']}"
        static["entryPoints"]["inside"]["address"] = f"127.0.0.1:{self.ports['gateway-inside']}"
        static["providers"]["file"]["filename"] = str(self._home / "dynamic.yml")
        (self._home / "traefik.yml").write_text(yaml.safe_dump(static))
        shutil.copyfile(GATEWAY_FILES / "dynamic.yml", self._home / "dynamic.yml")

    def command(self) -> list[str]:
        traefik = str(Path(sys.executable).parent / "traefik")
        return [traefik, f"--configfile={self._home / 'traefik.yml'}"]

    def environment(self) -> dict[str, str]:
        names = ("identity-api", "profile-api", "dossier-api", "documents-api", "notifier-api")
        addresses = {f"GATEWAY_{name.split('-')[0].upper()}": self._url(name) for name in names}
        return {
            **addresses,
            "GATEWAY_WEB": self._url("web"),
            "GATEWAY_OBJECTS": self._url("objects"),
            "GATEWAY_BUCKET": BUCKET,
            "GATEWAY_RATE": str(self._rate),
            "GOGC": "25",
            "TMPDIR": str(self._home),
        }

    def ready(self) -> bool:
        # The bucket is closed: the routes are loaded.
        return status_of(f"http://127.0.0.1:{self.ports['gateway']}/{BUCKET}") == 403
