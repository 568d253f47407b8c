"""RabbitMQ from the system's packages, as a node of its own: name, ports, epmd, folders, cookie."""

import hashlib
import shutil
import signal
import subprocess
import time
from pathlib import Path

from espace_stack.account import give, make_reachable, reachable_folder
from espace_stack.part import FailedPart, Part
from espace_stack.ports import Ports, answers, is_free
from espace_stack.probe import status_of
from espace_stack.process import Process, base_environment
from espace_stack.secret import Secrets

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
CONTROL = SERVER.with_name("rabbitmqctl")
USER = "espace"

_CONFIGURATION = """\
listeners.tcp.1 = 127.0.0.1:{amqp}
management.tcp.ip = 127.0.0.1
management.tcp.port = {management}
prometheus.tcp.ip = 127.0.0.1
prometheus.tcp.port = {prometheus}
default_user = {user}
default_pass = {password}
loopback_users = none
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = 33554432
log.console = true
log.console.level = info
log.file = false
"""


class RabbitMQ(Part):
    """One node. Definitions and policies are loaded by whoever owns the topology."""

    port_names: tuple[str, ...] = (
        "amqp",
        "rabbitmq-distribution",
        "rabbitmq-management",
        "rabbitmq-prometheus",
    )
    as_server = True
    start_seconds = 120
    stop_seconds = 40

    def __init__(self, folder: Path, ports: Ports, secrets: Secrets) -> None:
        super().__init__("rabbitmq", folder, ports)
        self._password = secrets.file("rabbitmq")
        self._home = reachable_folder(folder) / "rabbitmq"
        self._epmd = Process(folder / "run" / "epmd.json", folder / "logs" / "epmd.log")

    @property
    def url(self) -> str:
        """The address of the default virtual host."""
        return f"amqp://{USER}:{self._password.read_text()}@127.0.0.1:{self.ports['amqp']}/%2F"

    @property
    def management_url(self) -> str:
        """The management API's address, with its user."""
        return f"http://{USER}:{self._password.read_text()}@127.0.0.1:{self.ports['rabbitmq-management']}"

    def prepare(self) -> None:
        if not SERVER.exists():
            raise FailedPart(
                self.name, "is not installed; run: apt-get install rabbitmq-server", "", self.process.log
            )
        make_reachable(self._home.parent)
        self._home.mkdir(mode=0o755, exist_ok=True)
        configuration = _CONFIGURATION.format(
            amqp=self.ports["amqp"],
            management=self.ports["rabbitmq-management"],
            prometheus=self.ports["rabbitmq-prometheus"],
            user=USER,
            password=self._password.read_text(),
        )
        (self._home / "rabbitmq.conf").touch(mode=0o600)  # before it holds the password
        (self._home / "rabbitmq.conf").write_text(configuration)
        (self._home / "enabled_plugins").write_text("[rabbitmq_management,rabbitmq_prometheus].\n")
        (self._home / "rabbitmq-env.conf").write_text("")
        for name in ("mnesia", "log"):
            (self._home / name).mkdir(exist_ok=True)
        give(self._home)
        if not self._epmd.alive:
            if not is_free(self.ports["epmd"]):
                self.ports.move("epmd")
            epmd = shutil.which("epmd") or "/usr/bin/epmd"
            port = str(self.ports["epmd"])
            command = [epmd, "-port", port, "-address", "127.0.0.1"]
            self._epmd.spawn(command, environment=base_environment(), as_server=True, folder=Path("/"))
            deadline = time.monotonic() + 10
            while not answers(self.ports["epmd"]) and time.monotonic() < deadline:
                time.sleep(0.02)

    def command(self) -> list[str]:
        return [str(SERVER)]

    def environment(self) -> dict[str, str]:
        name = hashlib.sha256(str(self.folder.resolve()).encode()).hexdigest()[:10]
        return {
            "HOME": str(self._home),
            "ERL_EPMD_PORT": str(self.ports["epmd"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"espace-{name}@localhost",
            "RABBITMQ_NODE_PORT": str(self.ports["amqp"]),
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_DIST_PORT": str(self.ports["rabbitmq-distribution"]),
            "RABBITMQ_MNESIA_BASE": str(self._home / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._home / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self._home / "pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._home / "enabled_plugins"),
            "RABBITMQ_CONFIG_FILE": str(self._home / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self._home / "rabbitmq-env.conf"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }

    def ready(self) -> bool:
        alarms = f"{self.management_url}/api/health/checks/local-alarms"
        return answers(self.ports["amqp"]) and status_of(alarms, 2) == 200

    def administrate(self, *arguments: str) -> None:
        """``rabbitmqctl`` with these arguments on this node.

        Raises:
            subprocess.CalledProcessError: it refused; the output says why.
        """
        environment = base_environment() | self.environment()
        subprocess.run(
            [CONTROL, *arguments], env=environment, check=True, capture_output=True, cwd="/", timeout=60
        )

    def stop(self) -> None:
        self.process.send(signal.SIGCONT)
        self.process.send(signal.SIGTERM)
        super().stop()
        self._epmd.kill()

    def kill(self) -> None:
        super().kill()
        self._epmd.kill()
