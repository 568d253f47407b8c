"""``python -m espace_stack COMMAND``: what the Makefile's lines call."""

import argparse
import sys
from pathlib import Path

from espace_stack.part import FailedPart
from espace_stack.servers import Servers


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 1 when a part failed."""
    parser = argparse.ArgumentParser(prog="python -m espace_stack", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    parts = commands.add_parser("parts", help="start PostgreSQL, RabbitMQ and S3 for tests; they stay")
    parts.add_argument("--out", type=Path, required=True, help="file for their addresses (JSON)")
    parts.add_argument("--folder", type=Path, default=Path("/var/tmp/espace-test-parts"))
    parts.add_argument("--down", action="store_true", help="stop them instead")
    options = parser.parse_args(arguments)
    try:
        return _parts(options)
    except FailedPart as failure:
        print(f"\n{failure}", file=sys.stderr)
        return 1


def _parts(options: argparse.Namespace) -> int:
    servers = Servers(options.folder.resolve(), private=True)
    if options.down:
        servers.kill()
        options.out.unlink(missing_ok=True)
        return 0
    servers.start()
    servers.addresses.write(options.out)
    print(f"running; addresses are in {options.out}")
    return 0
