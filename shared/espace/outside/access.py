"""What an outsider may do on the broker: read its own queue, over a few connections, and nothing else."""

import json
import re
from typing import Final

from espace.bus import topology

LIMITS: Final = {"max-connections": 4, "max-channels": 16}


def user(name: str) -> str:
    """The broker's user for an outsider."""
    return f"outside-{name}"


def grant(name: str, virtual_host: str) -> list[str]:
    """The administrator's commands that let an outsider in; the first asks for a password."""
    queue = "^" + re.escape(topology.outsider_queue(name).name).replace(r"\-", "-") + "$"
    return [
        f"rabbitmqctl add_user {user(name)}",
        f"rabbitmqctl set_permissions -p {virtual_host} {user(name)} '^$' '^$' '{queue}'",
        f"rabbitmqctl set_user_limits {user(name)} '{json.dumps(LIMITS)}'",
    ]


def revoke(name: str) -> list[str]:
    """The administrator's commands that shut an outsider out at once, its connections too."""
    return [f"rabbitmqctl delete_user {user(name)}"]
