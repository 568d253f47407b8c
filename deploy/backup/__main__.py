"""``python -m deploy.backup COMMAND``; the servers come from the environment.

| variable | |
| --- | --- |
| ESPACE_POSTGRES_URL | ``postgresql://role:password@host:port/postgres``; may replicate and read all |
| ESPACE_OBJECTS_URL, ESPACE_OBJECTS_ACCESS_KEY, ESPACE_OBJECTS_SECRET_KEY | the S3 store |

Each may come as a file, named by the variable with ``_FILE``.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from minio import Minio
from minio.error import MinioException
from prometheus_client import CollectorRegistry, Gauge, write_to_textfile
from sqlalchemy import make_url
from urllib3.exceptions import HTTPError

from deploy.backup import database
from deploy.backup.objects import Copy
from deploy.backup.reconcile import Report, reconcile
from espace.config import SettingsError, load
from espace.program import instant
from espace_stack.layout import BUCKET
from espace_stack.parts.objects import client

METRICS = "backup.prom"
"""For a textfile collector: when the latest base backup was made."""


@dataclass(frozen=True, kw_only=True)
class Databases:
    """The cluster, for a role that may replicate and read everything."""

    postgres_url: str

    def rows(self, service: str, query: str) -> list[tuple[Any, ...]]:
        """What a query finds in a service's database."""
        url = make_url(self.postgres_url).set(drivername="postgresql", database=service)
        with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
            return connection.execute(query.encode()).fetchall()


@dataclass(frozen=True, kw_only=True)
class Objects:
    """The S3 store."""

    objects_url: str
    objects_access_key: str
    objects_secret_key: str

    @property
    def client(self) -> Minio:
        """A client for it."""
        return client(self.objects_url, self.objects_access_key, self.objects_secret_key)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 1 when it could not be done or something is missing, 2 when it was asked wrongly."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except SettingsError as error:
        print(f"the environment is not complete\n{error}", file=sys.stderr)
        return 2
    except database.BackupError as error:
        print(error, file=sys.stderr)
    except psycopg.OperationalError as error:
        print(f"the database does not answer: {error}", file=sys.stderr)
    except (MinioException, HTTPError) as error:
        print(f"the object store does not do it: {error}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.backup", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="command")
    follow = commands.add_parser("follow", help="write the databases' log as it comes, until stopped")
    follow.set_defaults(run=_follow)
    base = commands.add_parser("base", help="a base backup of the databases, verified")
    base.set_defaults(run=_base)
    objects = commands.add_parser("objects", help="copy what is new in the bucket")
    objects.set_defaults(run=_objects)
    for command in (follow, base, objects):
        command.add_argument("--to", type=Path, required=True, help="the folder of the backups")
    restore = commands.add_parser("restore", help="a data folder that becomes the databases at an instant")
    restore.add_argument("--from", dest="backups", type=Path, required=True, help="the folder of the backups")
    restore.add_argument("--into", type=Path, required=True, help="the data folder, empty or not there")
    restore.add_argument("--at", type=instant, help="such as 2026-11-26T03:00:00Z; otherwise all there is")
    restore.set_defaults(run=_restore)
    check = commands.add_parser("reconcile", help="compare rows with objects, hash by hash")
    check.add_argument("--from", dest="backups", type=Path, help="put back from there what is missing")
    check.set_defaults(run=_reconcile)
    return parser


def _follow(options: argparse.Namespace) -> int:
    database.follow(load(Databases).postgres_url, options.to)
    return 0


def _base(options: argparse.Namespace) -> int:
    made = database.base(load(Databases).postgres_url, options.to)
    registry = CollectorRegistry()
    done = Gauge("espace_last_success_timestamp_seconds", "Last backup.", ["job"], registry=registry)
    done.labels("backup").set_to_current_time()
    write_to_textfile(str(options.to / METRICS), registry)
    print(f"{made}: made and verified")
    return 0


def _objects(options: argparse.Namespace) -> int:
    copied = Copy(options.to / "objects").update(load(Objects).client, BUCKET)
    print(f"{copied} objects copied")
    return 0


def _restore(options: argparse.Namespace) -> int:
    start = database.restore(options.backups, options.into, options.at)
    print(
        f"{options.into} starts from {start.name}. Start the server on it: it is ready when it takes writes; "
        f"then remove {options.into / database.ARCHIVE}"
    )
    return 0


def _reconcile(options: argparse.Namespace) -> int:
    copy = Copy(options.backups / "objects") if options.backups else None
    report = reconcile(load(Databases).rows, load(Objects).client, BUCKET, copy)
    print(_told(report))
    return 0 if report.whole else 1


def _told(report: Report) -> str:
    lines = [f"{report.objects} rows have their object, with the bytes they tell"]
    for what, keys in (
        ("put back from the copy", report.restored),
        ("MISSING", report.missing),
        ("WITH OTHER BYTES", report.differing),
        ("PIECES THAT DOCUMENTS DOES NOT KNOW", report.dangling),
        ("objects that no row knows (they stay)", report.orphans),
    ):
        if keys:
            lines += [f"{len(keys)} {what}:", *(f"  {key}" for key in keys)]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
