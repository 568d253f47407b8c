"""Which account the servers run under: PostgreSQL refuses root, so root lends them one of its own."""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

NAME = "espace"


def server_account() -> pwd.struct_passwd | None:
    """The account for servers when this is root (made on first use), otherwise nothing: run as oneself."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    if subprocess.run(command, capture_output=True, check=False).returncode == 0:
        return pwd.getpwnam(NAME)
    return pwd.getpwnam("nobody")


def give(path: Path) -> None:
    """Hand ``path`` and all below it to the servers' account."""
    account = server_account()
    if account is None:
        return
    for entry in [path, *path.rglob("*")]:
        os.chown(entry, account.pw_uid, account.pw_gid, follow_symlinks=False)


def reachable_folder(folder: Path) -> Path:
    """``folder`` itself, or a folder in its stead where the servers' account cannot get to it.

    A stack below a home folder of mode 0700 keeps its servers' data under ``/var/tmp``.
    """
    if _passable(folder):
        return folder
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    stand_in = Path("/var/tmp") / f"espace-{name}"
    stand_in.mkdir(mode=0o755, exist_ok=True)
    if stand_in.stat().st_uid != os.geteuid() or stand_in.is_symlink():
        raise PermissionError(f"{stand_in} belongs to someone else")
    return stand_in


def reachable_program(folder: Path) -> Path:
    """A program's folder, copied to a place where the servers' account can run it if it cannot here."""
    if _passable(folder):
        return folder
    version = hashlib.sha256(f"{folder}:{folder.stat().st_mtime_ns}".encode()).hexdigest()[:12]
    copy = Path("/var/tmp") / f"espace-program-{version}"
    if not (copy / "complete").exists():
        shutil.copytree(folder, copy, symlinks=True, dirs_exist_ok=True)
        (copy / "complete").touch()
    return copy


def _passable(folder: Path) -> bool:
    if server_account() is None:
        return True
    existing = [path for path in [folder.resolve(), *folder.resolve().parents] if path.exists()]
    return all(path.stat().st_mode & stat.S_IXOTH for path in existing)
