"""All databases of one PostgreSQL cluster: base backups, their log as it is written, and back to an instant.

PostgreSQL's own programs do the work. A folder of backups looks so::

    base/2026-11-26T03:00:00Z/    a base backup, verified, named after its end
    wal/                          the log since the first ``follow``
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy import URL, make_url

from espace_stack.account import give
from espace_stack.parts.postgres import server_program

SLOT: Final = "espace_backup"
"""Keeps the log on the server while nobody follows it: nothing is missed, and its disk can fill."""
ARCHIVE: Final = "restored_wal"


class BackupError(Exception):
    """What could not be done, and what to do."""


def follow(url: str, to: Path) -> None:
    """Become the program that writes the log to ``to/wal`` as it comes, flushed, until it is stopped."""
    wal = to / "wal"
    wal.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = ["--directory", str(wal), "--slot", SLOT, "--no-password"]
    _run("pg_receivewal", url, [*options, "--create-slot", "--if-not-exists"])
    command = _command("pg_receivewal", url, [*options, "--synchronous"])
    os.execve(command[0], command, _environment(url))


def base(url: str, to: Path) -> Path:
    """A base backup of the whole cluster below ``to/base``; the folder.

    Raises:
        BackupError: it could not be made, or is not what the server's manifest says.
    """
    making = to / "base" / "making"
    shutil.rmtree(making, ignore_errors=True)
    making.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = ["--pgdata", str(making), "--checkpoint", "fast", "--wal-method", "stream", "--no-password"]
    _run("pg_basebackup", url, options)
    _run("pg_verifybackup", None, ["--quiet", str(making)])
    with psycopg.connect(_conninfo(url).render_as_string(hide_password=False)) as connection:
        ((ended,),) = connection.execute("SELECT clock_timestamp()").fetchall()
    made = making.with_name(f"{ended.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    making.rename(made)
    return made


def restore(backups: Path, into: Path, at: datetime | None = None) -> Path:
    """Make ``into`` a data folder that a server, once started on it, brings to the instant ``at``.

    Args:
        at: with its zone; what was committed until then is there, nothing later. None: all there is.

    Returns:
        the base backup it starts from.

    Raises:
        BackupError: ``into`` is not empty, or no base backup had ended by then.
    """
    if into.exists() and any(into.iterdir()):
        raise BackupError(f"{into} is not empty: move away what is there, it may be all that is left")
    start = _latest(backups / "base", at)
    shutil.copytree(start, into, dirs_exist_ok=True)
    into.chmod(0o700)
    archive = into / ARCHIVE
    archive.mkdir()
    for segment in sorted((backups / "wal").iterdir()):
        shutil.copy(segment, archive / segment.name.removesuffix(".partial"))
    settings = [f"restore_command = 'cp {ARCHIVE}/%f %p'", "recovery_target_action = 'promote'"]
    if at is not None:
        settings.append(f"recovery_target_time = '{at.astimezone(UTC).isoformat()}'")
    with (into / "postgresql.auto.conf").open("a") as configuration:
        configuration.write("\n".join(["", *settings, ""]))
    (into / "recovery.signal").touch()
    give(into)
    return start


def _latest(bases: Path, at: datetime | None) -> Path:
    made = sorted(folder for folder in bases.glob("????-*Z") if folder.is_dir())
    fit = [folder for folder in made if at is None or datetime.fromisoformat(folder.name) <= at]
    if not fit:
        first = f"the first ended at {made[0].name}" if made else "there is none"
        raise BackupError(f"no base backup in {bases} is old enough: {first}")
    return fit[-1]


def _run(program: str, url: str | None, options: Sequence[str]) -> None:
    command = [str(server_program(program)), *options] if url is None else _command(program, url, options)
    done = subprocess.run(
        command,
        env=_environment(url),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupError(f"{program} failed: {done.stdout.strip()}")


def _command(program: str, url: str, options: Sequence[str]) -> list[str]:
    where = _conninfo(url).set(password=None, database=None).render_as_string(hide_password=False)
    return [str(server_program(program)), "--dbname", where, *options]


def _environment(url: str | None) -> dict[str, str]:
    password = make_url(url).password if url else None
    return {**os.environ, **({"PGPASSWORD": str(password)} if password else {})}


def _conninfo(url: str) -> URL:
    return make_url(url).set(drivername="postgresql")
