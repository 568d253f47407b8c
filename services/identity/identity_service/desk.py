"""What an operator does with a citizen's account from the command line."""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from espace.config import load
from espace.db import Database
from espace.telemetry import configure_logging
from identity_service import accounts
from identity_service.clients import ClientRegistry
from identity_service.settings import Settings

COMMANDS: dict[str, Callable[[Session, ClientRegistry, UUID], bool]] = {
    "disable": accounts.disable,
    "enable": accounts.enable,
    "erase": accounts.erase,
}


def command(name: str, arguments: Sequence[str]) -> int:
    """Disable, enable or erase one citizen; 1 when there is none of that id."""
    parser = argparse.ArgumentParser(prog=f"python -m identity_service {name}")
    parser.add_argument("citizen", type=UUID)
    options = parser.parse_args(arguments)
    settings = load(Settings)
    configure_logging("identity", "desk", level=settings.log_level)
    database = Database(settings.database_url, pool_size=1, application_name="identity-desk")
    try:
        with database.transaction() as unit:
            done = COMMANDS[name](unit.session, ClientRegistry.read(settings.clients_file), options.citizen)
    finally:
        database.dispose()
    if not done:
        sys.stderr.write("there is no such citizen\n")
    return 0 if done else 1


disable, enable, erase = (partial(command, name) for name in COMMANDS)
