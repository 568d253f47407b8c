"""What the environment gives a stack: addresses in place of own parts, wanted ports, a malware scanner."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from espace_stack.probe import clamd_answers
from espace_stack.secret import Secrets

ADDRESSES = (
    "POSTGRES_URL",
    "AMQP_URL",
    "MANAGEMENT_URL",
    "OBJECTS_URL",
    "OBJECTS_ACCESS_KEY",
    "OBJECTS_SECRET_KEY",
    "SMTP",
)
CLAMD = "ESPACE_CLAMD_ADDRESS"
CLAMD_SOCKET = "/run/clamav/clamd.ctl"
"""Where Debian's clamd listens."""
_KEPT = "given.json"
_PORT = "ESPACE_STACK_PORT_"


class WrongSetting(ValueError):
    """A variable of the environment that cannot be; the message names it and says what to do."""


def given_addresses(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Addresses set as ``ESPACE_STACK_POSTGRES_URL`` and so on, without the prefix.

    One that is set and empty is kept: it takes back what the stack was given before.
    """
    return {name: environ[f"ESPACE_STACK_{name}"] for name in ADDRESSES if f"ESPACE_STACK_{name}" in environ}


def given_scanner(environ: Mapping[str, str] = os.environ, socket: str = CLAMD_SOCKET) -> dict[str, str]:
    """The malware scanner that the environment names, otherwise the machine's own if it answers."""
    if CLAMD in environ:
        return {"CLAMD": environ[CLAMD]}
    return {"CLAMD": socket} if clamd_answers(socket) else {}


def keep_given(folder: Path, given: Mapping[str, str]) -> None:
    """Remember what a stack was given, for its later commands."""
    Secrets(folder / "secrets").keep(_KEPT, json.dumps(given))


def read_given(folder: Path) -> dict[str, str]:
    """What a stack was given at its latest start."""
    file = folder / "secrets" / _KEPT
    kept: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    return kept


def wanted_ports(environ: Mapping[str, str] = os.environ) -> dict[str, int]:
    """Ports set as ``ESPACE_STACK_PORT_GATEWAY`` and so on, by the name that they have in ``ports.json``.

    Raises:
        WrongSetting: not a port, or one that is wanted twice.
    """
    ports: dict[str, int] = {}
    for variable, value in environ.items():
        if not variable.startswith(_PORT) or not value:
            continue
        if not value.isdecimal() or not 0 < int(value) < 65536:
            raise WrongSetting(f"{variable}: {value!r} is not a port (1 to 65535)")
        if int(value) in ports.values():
            raise WrongSetting(f"{variable}: {value} is wanted for two parts")
        ports[variable.removeprefix(_PORT).lower().replace("_", "-")] = int(value)
    return ports


def port_variable(name: str) -> str:
    """The variable that sets the port ``name``."""
    return _PORT + name.upper().replace("-", "_")
