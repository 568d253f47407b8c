"""After an outage: ``python -m dossier_service extend-requests …`` gives more days to what was due meanwhile.

Who wanted it and why is logged. Citizens are told the new date by mail, and see it with its reason.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date

from dossier_service.claims.commands.extending import extend_requests
from dossier_service.claims.practice import Desk
from espace.config import load
from espace.db import Database
from espace.program import DatabaseOnly
from espace.telemetry import configure_logging, get_logger

COMMAND = "extend-requests"
LONGEST = 31
log = get_logger()


def command(arguments: Sequence[str]) -> int:
    """Do what the command line says; 1 when there was nothing to move."""
    options = _parser().parse_args(arguments)
    last = options.until or options.due
    database_url = load(DatabaseOnly).database_url
    configure_logging("dossier", COMMAND)
    database = Database(database_url, pool_size=1, application_name=f"dossier-{COMMAND}")
    try:
        moved = extend_requests(
            database, Desk.open(), options.due, last, options.days, dry_run=options.dry_run
        )
    finally:
        database.dispose()
    for one in moved:
        if not options.dry_run:
            log.info(
                "information_request.extended",
                information_request_id=str(one.request_id),
                dossier_id=str(one.dossier_id),
                was_due=one.was_due.isoformat(),
                due=one.due.isoformat(),
                by=options.by,
                because=options.because,
            )
        sys.stdout.write(f"{one.number}  {one.was_due} -> {one.due}\n")
    sys.stdout.write(f"{len(moved)} {'would move' if options.dry_run else 'moved'}\n")
    return 0 if moved else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m dossier_service {COMMAND}", description=__doc__)
    parser.add_argument("--due", type=_day, required=True, help="the last day as it is now: 2024-10-25")
    parser.add_argument("--until", type=_day, help="every last day from --due to this one, included")
    parser.add_argument("--days", type=_days, required=True, help=f"calendar days to give, 1 to {LONGEST}")
    parser.add_argument("--by", required=True, help="who decided it, for the log")
    parser.add_argument("--because", required=True, help="why, for the log")
    parser.add_argument("--dry-run", action="store_true", help="say what would be moved")
    return parser


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{written!r} is not a day such as 2024-10-25") from None


def _days(written: str) -> int:
    if not written.isdecimal() or not 1 <= int(written) <= LONGEST:
        raise argparse.ArgumentTypeError(f"{written!r} is not a number from 1 to {LONGEST}")
    return int(written)
