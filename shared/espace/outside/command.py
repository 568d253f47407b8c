"""``python -m <service> outsiders``: who outside is told which events, since when."""

import argparse
import re
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote, urlsplit

from espace.bus import topology
from espace.bus.event import PREFIX, rfc3339
from espace.bus.publisher import BROKER_ERRORS, Publisher
from espace.clock import utcnow
from espace.config import load
from espace.db import Database
from espace.outside.access import grant, revoke
from espace.outside.outsiders import let_in, let_out, outsiders
from espace.program import DatabaseOnly, instant
from espace.telemetry import configure_logging, get_logger

log = get_logger()
_NAME = re.compile(r"[a-z][a-z0-9-]{1,39}")


@dataclass(frozen=True, kw_only=True)
class _DatabaseAndBroker(DatabaseOnly):
    amqp_url: str


def command(service: str, arguments: Sequence[str]) -> int:
    """Do what the command line says for ``service``; 1 when there is no such outsider."""
    options = _parser(service).parse_args(arguments)
    settings = load(_DatabaseAndBroker)
    configure_logging(service, "outsiders")
    options.virtual_host = unquote(urlsplit(settings.amqp_url).path[1:]) or "/"
    database = Database(settings.database_url, pool_size=1, application_name=f"{service}-outsiders")
    publisher = Publisher(settings.amqp_url, f"{service} outsiders")
    try:
        return int(options.run(options, database, publisher))
    except BROKER_ERRORS as error:
        sys.stderr.write(f"the broker does not answer: {error}\n")
        return 2
    finally:
        publisher.close()
        database.dispose()


def _list(_options: argparse.Namespace, database: Database, _publisher: Publisher) -> int:
    with database.session() as session:
        found = outsiders(session)
    for outsider in found:
        types = " ".join(sorted(type_.removeprefix(PREFIX) for type_ in outsider.types))
        sys.stdout.write(f"{outsider.name}  since {rfc3339(outsider.since)}  {types}\n")
    return 0


def _let_in(options: argparse.Namespace, database: Database, publisher: Publisher) -> int:
    queue = topology.outsider_queue(options.name)
    publisher.declare(queue, topology.OUTSIDE)
    since = options.since or utcnow()
    with database.transaction() as unit:
        let_in(unit.session, options.name, options.types, since)
    log.info(
        "outsider.let_in", outsider=options.name, types=options.types, since=rfc3339(since), by=options.by
    )
    sys.stdout.write(f"{options.name} is told {len(options.types)} types of events since {rfc3339(since)}.\n")
    sys.stdout.write(f"Its queue is {queue.name}. A user of the broker who may read it and nothing else:\n")
    sys.stdout.writelines(f"    {line}\n" for line in grant(options.name, options.virtual_host))
    return 0


def _let_out(options: argparse.Namespace, database: Database, publisher: Publisher) -> int:
    with database.transaction() as unit:
        known = let_out(unit.session, options.name)
    if not known:
        sys.stderr.write(f"nobody is told anything under the name {options.name}\n")
        return 1
    publisher.delete(topology.outsider_queue(options.name))
    log.info("outsider.let_out", outsider=options.name, by=options.by)
    sys.stdout.write(
        f"{options.name} is told nothing more and its queue is gone. Shut it out of the broker:\n"
    )
    sys.stdout.writelines(f"    {line}\n" for line in revoke(options.name))
    return 0


def _parser(service: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"{service} outsiders", description="other administrations' queues")
    actions = parser.add_subparsers(required=True, metavar="action")
    actions.add_parser("list", help="who is told what").set_defaults(run=_list)
    inward = actions.add_parser("let-in", help="tell somebody events, or tell them once more")
    inward.add_argument("name", type=_name)
    inward.add_argument("types", nargs="+", type=partial(_type, topology.OPEN[service]), metavar="TYPE")
    inward.add_argument("--since", type=instant, help="what was recorded since then; by default from now on")
    inward.set_defaults(run=_let_in)
    outward = actions.add_parser("let-out", help="tell somebody nothing more")
    outward.add_argument("name", type=_name)
    outward.set_defaults(run=_let_out)
    for one in (inward, outward):
        one.add_argument("--by", required=True, help="who decided it, for the log")
    return parser


def _name(written: str) -> str:
    if not _NAME.fullmatch(written):
        raise argparse.ArgumentTypeError(f"{written!r} is not a name such as tournai-elections")
    return written


def _type(known: Collection[str], written: str) -> str:
    found = PREFIX + written.removeprefix(PREFIX)
    if found not in known:
        offered = ", ".join(sorted(type_.removeprefix(PREFIX) for type_ in known))
        raise argparse.ArgumentTypeError(f"{written!r} is not told to outsiders; these are: {offered}")
    return found
