"""What watches the stack, where it is asked for: Prometheus with our rules, and PostgreSQL's exporter."""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from espace_stack.observing import FOLDER, INTERVAL, on_this_machine
from espace_stack.part import Part
from espace_stack.ports import Ports
from espace_stack.probe import status_of


class PostgresExporterPart(Part):
    """Debian's ``prometheus-postgres-exporter``, which knows a database by its address."""

    port_names = ("postgres-exporter",)
    stop_seconds = 5

    def __init__(self, folder: Path, ports: Ports, database: Callable[[], str]) -> None:
        super().__init__("postgres-exporter", folder, ports)
        self._database = database

    def command(self) -> list[str]:
        return ["prometheus-postgres-exporter", f"--web.listen-address=127.0.0.1:{self.ports[self.name]}"]

    def environment(self) -> dict[str, str]:
        address = urlsplit(self._database())._replace(scheme="postgresql", query="sslmode=disable")
        return {"DATA_SOURCE_NAME": address.geturl()}

    def ready(self) -> bool:
        return status_of(f"http://127.0.0.1:{self.ports[self.name]}/metrics") == 200


class PrometheusPart(Part):
    """Debian's ``prometheus``; ``addresses`` tells what it scrapes, job to ``host:port``."""

    port_names = ("prometheus",)
    stop_seconds = 10

    def __init__(
        self,
        folder: Path,
        ports: Ports,
        addresses: Callable[[], Mapping[str, str]],
        *,
        interval: str = INTERVAL,
    ) -> None:
        super().__init__("prometheus", folder, ports)
        self._addresses = addresses
        self._interval = interval
        self._home = folder / "prometheus"

    @property
    def url(self) -> str:
        """Its pages and its API."""
        return f"http://127.0.0.1:{self.ports['prometheus']}"

    def prepare(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        made = on_this_machine(self._addresses(), FOLDER / "rules", interval=self._interval)
        (self._home / "prometheus.yml").write_text(made)

    def command(self) -> list[str]:
        return [
            "prometheus",
            f"--config.file={self._home / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._home / 'data'}",
            "--storage.tsdb.retention.size=512MB",
            f"--web.listen-address=127.0.0.1:{self.ports['prometheus']}",
            "--log.level=warn",
        ]

    def ready(self) -> bool:
        return status_of(f"{self.url}/-/ready") == 200
