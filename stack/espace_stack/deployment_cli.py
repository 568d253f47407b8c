"""``python -m espace_stack deployment ACTION``: what containers are started with."""

import argparse
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from espace_stack import deployment
from espace_stack.kubernetes import add_kubernetes
from espace_stack.legal import START, Legal, parse_instant


def add_deployment(commands: Any) -> None:
    """Add the command to a parser's."""
    parser = commands.add_parser("deployment", help="secrets, databases, queues and bucket for containers")
    actions = parser.add_subparsers(required=True, metavar="action")
    secrets = actions.add_parser("secrets", help="make what is missing; set legal time once")
    secrets.add_argument("--folder", type=Path, default=Path("/secrets"), help="one folder each below it")
    secrets.add_argument("--clock", type=Path, default=deployment.CLOCK)
    secrets.set_defaults(run=_secrets)
    prepare = actions.add_parser("prepare", help="databases, queues, bucket; waits for nothing")
    prepare.add_argument("--folder", type=Path, default=deployment.SECRETS, help="the bundle `prepare`")
    prepare.set_defaults(run=_prepare)
    travel = actions.add_parser("travel", help="move legal time forward")
    travel.add_argument("to", type=parse_instant, help="such as 2024-10-22T00:00 (Brussels)")
    travel.add_argument("--clock", type=Path, default=deployment.CLOCK)
    travel.set_defaults(run=_travel)
    add_kubernetes(actions)


def _secrets(options: argparse.Namespace) -> int:
    made = deployment.Deployment(
        options.folder / "made",
        public_url=os.environ.get("ESPACE_PUBLIC_URL", "http://localhost:8080"),
        simulator_url=os.environ.get("ESPACE_SIMULATOR_URL", "http://127.0.0.1:8081"),
    )
    options.folder.chmod(0o700)
    deployment.write(made.bundles(), options.folder)
    start: datetime = parse_instant(os.environ.get("ESPACE_LEGAL_START") or START.isoformat())
    Legal(options.clock).ensure(start)
    print(f"secrets are in {options.folder}")
    return 0


def _prepare(options: argparse.Namespace) -> int:
    deployment.prepare(options.folder)
    print("databases, queues and bucket are ready")
    return 0


def _travel(options: argparse.Namespace) -> int:
    database_url = (deployment.SECRETS / "database-url").read_text()
    deployment.travel(options.clock, database_url, options.to)
    print(f"legal time is now {options.to:%A %d %B %Y, %H:%M:%S}")
    return 0
