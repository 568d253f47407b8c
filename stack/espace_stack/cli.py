"""``python -m espace_stack COMMAND``: what the Makefile's lines call."""

import argparse
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from espace_stack.deployment_cli import add_deployment
from espace_stack.dev import develop
from espace_stack.given import WrongSetting, given_addresses, given_scanner, wanted_ports
from espace_stack.legal import START, BackwardsError, NotRunning, parse_instant
from espace_stack.part import FailedPart
from espace_stack.servers import Servers
from espace_stack.stack import DEFAULT_FOLDER, OBSERVERS, Stack, UnknownPart
from espace_stack.table import show_addresses, show_memory


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 1 when a part failed or the wish was refused."""
    options = _parser().parse_args(arguments)
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except FailedPart as failure:
        print(f"\nFailed. {failure}", file=sys.stderr)
    except NotRunning as error:
        print(f"{error}: `make up` first", file=sys.stderr)
    except (BackwardsError, UnknownPart, WrongSetting) as error:
        print(error, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m espace_stack", description=__doc__)
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="where the stack lives")
    parser.add_argument("--private", action="store_true", help="as tests start it: crash points, free ports")
    commands = parser.add_subparsers(required=True, metavar="command")
    up = commands.add_parser("up", help="start what does not run")
    up.add_argument("--at", type=_instant, help="legal time of a new stack")
    up.add_argument("parts", nargs="*", metavar="part", help="only these, with what they need of databases")
    up.set_defaults(run=_up)
    commands.add_parser("observe", help="start what watches the stack").set_defaults(run=_observe)
    commands.add_parser("down", help="stop what up started; data stays").set_defaults(run=_down)
    commands.add_parser("reset", help="stop and forget all data").set_defaults(run=_reset)
    commands.add_parser("status", help="what runs, with its memory").set_defaults(run=_status)
    travel = commands.add_parser("travel", help="move legal time forward")
    travel.add_argument("to", type=_instant, help="such as 2024-10-22T00:00 (Brussels)")
    travel.set_defaults(run=_travel)
    dev = commands.add_parser("dev", help="run one service in the foreground, with reload")
    dev.add_argument("service")
    dev.set_defaults(run=_dev)
    env = commands.add_parser("env", help="print the environment of a program")
    env.add_argument("program")
    env.set_defaults(run=_env)
    parts = commands.add_parser("parts", help="start PostgreSQL, RabbitMQ and S3 for tests; they stay")
    parts.add_argument("--out", type=Path, required=True, help="file for their addresses (JSON)")
    parts.add_argument("--at", type=Path, default=Path("/var/tmp/espace-test-parts"), help="their folder")
    parts.add_argument("--down", action="store_true", help="stop them instead")
    parts.set_defaults(run=_parts)
    add_deployment(commands)
    return parser


def _instant(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2024-10-22T00:00") from None


def _stack(options: argparse.Namespace) -> Stack:
    began = time.monotonic()
    return Stack(
        options.folder,
        private=options.private,
        given={**given_addresses(), **({} if options.private else given_scanner())},
        wanted=wanted_ports(),
        report=lambda line: print(f"[{time.monotonic() - began:5.1f} s] {line}", flush=True),
    )


def _up(options: argparse.Namespace) -> int:
    began = time.monotonic()
    stack = _stack(options)
    ignored = options.at is not None and stack.legal.is_set
    stack.legal.ensure(options.at or START)
    started = stack.start(tuple(options.parts))
    print(show_addresses(stack))
    if ignored:
        print("The wished legal time is for a new stack; this one has its own: `make reset` starts over.")
    print(f"ready after {time.monotonic() - began:.0f} s" if started else "everything was running already")
    return 0


def _observe(options: argparse.Namespace) -> int:
    stack = _stack(options)
    stack.latest_receipt()  # refuses when nothing runs
    stack.start(OBSERVERS)
    print(f"Prometheus: {stack.prometheus.url} (alerts: /alerts); `make down` stops it with the rest")
    return 0


def _down(options: argparse.Namespace) -> int:
    _stack(options).stop()
    return 0


def _reset(options: argparse.Namespace) -> int:
    try:
        _stack(options).reset()
    except FailedPart as failure:
        print(
            f"{failure}\nThe keys to what is kept there stay. For a server that is gone for good: "
            "`make reset` with its address set and empty, such as ESPACE_STACK_POSTGRES_URL=",
            file=sys.stderr,
        )
        return 1
    print("all data of the stack is forgotten")
    return 0


def _status(options: argparse.Namespace) -> int:
    print(show_memory(_stack(options)))
    return 0


def _travel(options: argparse.Namespace) -> int:
    _stack(options).travel(options.to)
    print(f"legal time is now {options.to:%A %d %B %Y, %H:%M:%S}")
    return 0


def _dev(options: argparse.Namespace) -> int:
    return develop(_stack(options), options.service)


def _env(options: argparse.Namespace) -> int:
    for name, value in sorted(_stack(options).env(options.program).items()):
        print(f"{name}={value}")
    return 0


def _parts(options: argparse.Namespace) -> int:
    servers = Servers(options.at.resolve(), private=True)
    if options.down:
        servers.kill()
        options.out.unlink(missing_ok=True)
        return 0
    servers.start()
    servers.addresses.write(options.out)
    print(f"running; addresses are in {options.out}")
    return 0
