"""Looking after messages from the command line: ``python -m notifier_service notifications …``.

``list`` tells what failed or still has to be sent, ``show ID…`` all that is known of messages, and
``requeue [ID…] --by NAME --because WHY`` has those named, or every one that failed or waits, tried again at
once; who wanted it and why is logged.
"""

import argparse
import json
import sys
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from espace.config import load
from espace.db import Database
from espace.telemetry import configure_logging, get_logger
from notifier_service import commands, queries
from notifier_service.settings import Settings
from notifier_service.tables import Base

log = get_logger()


def command(arguments: Sequence[str]) -> int:
    """Do what the command line says; 1 when a message that was named is not among those meant."""
    options = _parser().parse_args(arguments)
    settings = load(Settings)
    configure_logging("notifier", "desk", level=settings.log_level)
    database = Database(settings.database_url, pool_size=1, application_name="notifier-desk")
    try:
        if options.action == "list":
            return _list(database)
        if options.action == "show":
            return _told(options.ids, _show(database, options.ids))
        return _told(options.ids, _requeue(database, options))
    finally:
        database.dispose()


def _list(database: Database) -> int:
    with database.session() as session:
        for row in queries.unsent(session):
            since = row.created_at.isoformat(timespec="seconds")
            reason = row.reason or "-"
            sys.stdout.write(f"{row.id}  {since}  {row.template}  {row.state}  {row.attempts}  {reason}\n")
    return 0


def _show(database: Database, ids: Collection[UUID]) -> set[UUID]:
    with database.session() as session:
        found = queries.notifications(session, ids)
        for row, attempts in found:
            facts = {**_facts(row), "attempts": [_facts(attempt) for attempt in attempts]}
            sys.stdout.write(json.dumps(facts, default=str, ensure_ascii=False, indent=2) + "\n")
        return {row.id for row, _ in found}


def _requeue(database: Database, options: argparse.Namespace) -> set[UUID]:
    with database.transaction() as unit:
        rows = commands.requeue(unit, options.ids)
    for row in rows:
        log.info(
            "message.requeued",
            notification_id=str(row.id),
            template=row.template,
            reason=row.reason,
            by=options.by,
            because=options.because,
        )
    sys.stdout.write(f"{len(rows)} requeued\n")
    return {row.id for row in rows}


def _told(wanted: Collection[UUID], done: set[UUID]) -> int:
    missing = [str(one) for one in wanted if one not in done]
    if missing:
        sys.stderr.write(f"not among these messages: {', '.join(missing)}\n")
    return 1 if missing else 0


def _facts(row: Base) -> dict[str, Any]:
    found = {column.name: getattr(row, column.name) for column in row.__table__.columns}
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in found.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m notifier_service notifications")
    actions = parser.add_subparsers(required=True, dest="action", metavar="action")
    actions.add_parser("list", help="what failed or still has to be sent")
    show = actions.add_parser("show", help="all that is known of messages, with each attempt")
    show.add_argument("ids", nargs="+", type=UUID, metavar="ID")
    requeue = actions.add_parser("requeue", help="try messages again at once")
    requeue.add_argument("ids", nargs="*", type=UUID, metavar="ID", help="none means all")
    requeue.add_argument("--by", required=True, help="who wants it, for the log")
    requeue.add_argument("--because", required=True, help="why, for the log")
    return parser
