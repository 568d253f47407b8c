"""One process of the stack: started apart from the terminal, found again by process id and start."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from espace_stack.account import server_account

_children: dict[int, "subprocess.Popen[bytes]"] = {}


class Process:
    """A process whose identity is kept in ``record``, so that a later command can stop it and only it."""

    def __init__(self, record: Path, log: Path) -> None:
        self._record = record
        self.log = log

    def spawn(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path | None = None,
        as_server: bool = False,
        settings: str = "",
        to_terminal: bool = False,
    ) -> None:
        """Start ``command`` in a session of its own.

        Args:
            as_server: under the servers' account.
            settings: kept in the record, see :attr:`settings`.
            to_terminal: show the output here; otherwise it is appended to the log.
        """
        account = server_account() if as_server else None
        self._record.parent.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            child = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=None if to_terminal else output,
                stderr=None if to_terminal else subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )
        _children[child.pid] = child
        record = {"pid": child.pid, "started": _started(child.pid), "settings": settings}
        self._record.write_text(json.dumps(record))

    @property
    def pid(self) -> int | None:
        """The process id while it lives."""
        found = self._find()
        return found.pid if found else None

    @property
    def alive(self) -> bool:
        """Whether it runs (a paused process does)."""
        return self._find() is not None

    @property
    def recorded(self) -> bool:
        """Whether it was started and not stopped since; it may have ended by itself."""
        return bool(self._read())

    @property
    def settings(self) -> str:
        """What it was started with, as the starter put it."""
        return str(self._read().get("settings", ""))

    def tree(self) -> list[psutil.Process]:
        """The process, its descendants, and what runs in its session; the process first, while it lives.

        A session outlives its leader: so the server behind a killed shell script is found, and a
        program's child whose parent has gone.
        """
        found = self._find()
        members = {found.pid: found} if found else {}
        if found:
            with contextlib.suppress(psutil.NoSuchProcess):
                members |= {child.pid: child for child in found.children(recursive=True)}
        return list((members | {member.pid: member for member in self._session()}).values())

    def send(self, number: int, *, whole_tree: bool = True) -> None:
        """Send a signal to the tree, or to the process alone."""
        for member in self.tree() if whole_tree else self.tree()[:1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.send_signal(number)

    def freeze(self) -> None:
        """Stop every thread of the tree (SIGSTOP); returns when none runs any more."""
        self.send(signal.SIGSTOP)
        deadline = time.monotonic() + 10
        while not all(_stopped(member) for member in self.tree()) and time.monotonic() < deadline:
            time.sleep(0.005)

    def kill(self) -> None:
        """``kill -9`` for the whole tree; returns when all of it is gone."""
        members = self.tree()
        for member in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        _gone(members, 10)
        self._forget()

    def terminate(self, *, number: int = signal.SIGTERM, seconds: float = 20) -> None:
        """Ask the process to end (or what it has left behind), wait, then kill what is left of the tree."""
        members = self.tree()
        for member in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.send_signal(signal.SIGCONT)
        for member in members[:1] if self.alive else members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.send_signal(number)
        for member in _gone(members, seconds):
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        _gone(members, 10)
        self._forget()

    def memory(self) -> int:
        """Proportional set size of the tree in bytes."""
        total = 0
        for member in self.tree():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += member.memory_full_info().pss
        return total

    def end_of_log(self, lines: int = 25) -> str:
        """The last lines it wrote."""
        if not self.log.exists():
            return "(no output)"
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:]) or "(no output)"

    def _find(self) -> psutil.Process | None:
        try:
            record = self._read()
            found = psutil.Process(record["pid"])
            same = _started(found.pid) == record["started"]
            return found if same and not _is_gone(found) else None
        except (OSError, KeyError, psutil.NoSuchProcess):
            return None

    def _session(self) -> list[psutil.Process]:
        """What lives in the session that the recorded process began, and was started since.

        No new process gets an id that a session still bears: one that has ours and another start tells
        that nothing of ours is left.
        """
        record = self._read()
        if not record:
            return []
        boot, tick = record["started"].split(":")
        members = []
        for pid in psutil.pids():
            with contextlib.suppress(OSError, psutil.NoSuchProcess):
                if os.getsid(pid) != record["pid"]:
                    continue
                if pid == record["pid"] and _started(pid) != record["started"]:
                    return []
                since = _started(pid).split(":")
                if since[0] == boot and int(since[1]) >= int(tick):
                    members.append(psutil.Process(pid))
        return [member for member in members if not _is_gone(member)]

    def _read(self) -> dict[str, Any]:
        """The record; empty when there is none."""
        try:
            record: dict[str, Any] = json.loads(self._record.read_text())
            return record
        except (OSError, ValueError):
            return {}

    def _forget(self) -> None:
        self._record.unlink(missing_ok=True)


def _started(pid: int) -> str:
    """The boot and the tick in it at which a process started; unlike a time, setting the clock leaves it.

    Raises:
        OSError: there is no such process.
    """
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return f"{boot}:{ticks}"


def _reap(pid: int) -> None:
    child = _children.get(pid)
    if child is not None and child.poll() is not None:
        del _children[pid]


def _gone(members: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for the end of ``members``; returns those still alive."""
    deadline = time.monotonic() + seconds
    left = members
    while left and (left := [member for member in left if not _is_gone(member)]):
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return left


def _is_gone(member: psutil.Process) -> bool:
    """Ended with all its threads, even if its parent has not looked yet.

    A process looks like a zombie as soon as its first thread has ended, while others still hold its sockets.
    """
    _reap(member.pid)
    try:
        if not member.is_running():
            return True
        threads = len(list(Path(f"/proc/{member.pid}/task").iterdir()))
        return member.status() == psutil.STATUS_ZOMBIE and threads <= 1
    except (psutil.NoSuchProcess, FileNotFoundError):
        return True


def base_environment() -> dict[str, str]:
    """What every process of the stack inherits: where programs are, nothing of the terminal's."""
    kept = ("PATH", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
    return {name: os.environ[name] for name in kept if name in os.environ}


def _stopped(process: psutil.Process) -> bool:
    with contextlib.suppress(OSError):
        tasks = Path(f"/proc/{process.pid}/task").iterdir()
        return all((task / "stat").read_text().rpartition(")")[2].split()[0] in "TtZ" for task in tasks)
    return True
