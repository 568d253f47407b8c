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
    """``folder`` itself, or the place that stands in where the servers' account cannot get to it.

    A stack below a home folder of mode 0700 keeps its servers' data under ``/var/tmp``.
    """
    if _passable(folder):
        return folder
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"espace-{name}"


def make_reachable(folder: Path) -> None:
    """Make a folder that :func:`reachable_folder` named.

    Raises:
        PermissionError: someone else has put something there.
    """
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to someone else")


def reachable_program(home: Path, folders: tuple[str, ...]) -> Path:
    """``home``, or a copy of its ``folders`` where the servers' account can run them if it cannot here."""
    if _passable(home):
        return home
    stamp = "".join(f"{folder}:{(home / folder).stat().st_mtime_ns}" for folder in folders)
    copy = Path("/var/tmp") / f"espace-program-{hashlib.sha256(f'{home}{stamp}'.encode()).hexdigest()[:12]}"
    make_reachable(copy)
    if not (copy / "complete").exists():
        for folder in folders:
            shutil.copytree(home / folder, copy / folder, symlinks=True, dirs_exist_ok=True)
        (copy / "complete").touch()
    return copy


def _passable(folder: Path) -> bool:
    if server_account() is None:
        return True
    existing = [path for path in [folder.resolve(), *folder.resolve().parents] if path.exists()]
    return all(path.stat().st_mode & stat.S_IXOTH for path in existing)
