"""The operator who lets other administrations in and out, as docs/integrators.md says."""

import shlex
import subprocess
import sys

from espace_stack.parts.rabbitmq import RabbitMQ
from espace_stack.process import base_environment
from espace_stack.testing.platform import Platform


class Operator:
    """Lets outsiders in and out, by the page's commands and what they print."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def outsiders(self, *arguments: str) -> list[str]:
        """``python -m dossier_service outsiders``, where dossier runs; the broker's commands it printed."""
        environment = base_environment() | self._platform.part("dossier-worker").environment()
        command = [sys.executable, "-m", "dossier_service", "outsiders", *arguments]
        done = subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True, timeout=60
        )
        return [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("rabbitmqctl")]

    def broker(self, lines: list[str], password: str = "") -> None:
        """The commands that were printed, as the broker's administrator."""
        node = self._platform.part("rabbitmq")
        assert isinstance(node, RabbitMQ)
        for line in lines:
            asked = [password] if " add_user " in line else []
            node.administrate(*shlex.split(line)[1:], *asked)
