"""Private stacks die with the program that started them, even when that is killed.

A small process waits on a pipe; the pipe's end means that the starter is gone, and it kills whatever
the folder's records name.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from espace_stack.account import reachable_folder
from espace_stack.process import Process

MEMORY = Path("/dev/shm")
MUCH_MEMORY = 6 * 2**30


@contextlib.contextmanager
def reaped(folder: Path) -> Iterator[None]:
    """While inside, a watcher stands by to end the processes recorded below ``folder``."""
    command = [sys.executable, "-m", "espace_stack.reaper", str(folder)]
    watcher = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        clear(folder)
        assert watcher.stdin is not None
        watcher.stdin.close()
        watcher.wait()


@contextlib.contextmanager
def private_folder(prefix: str = "espace-", *, in_memory: bool = False) -> Iterator[Path]:
    """A new folder that the servers' account can enter; gone afterwards, with what runs in it.

    Args:
        in_memory: where there is enough of it. A new database is some 300 files, for which a disk's file
            system takes ten times as long; a server that is killed finds them again all the same.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=MEMORY if in_memory and _much_memory() else None))
    folder.chmod(0o755)
    with reaped(folder):
        yield folder


def _much_memory() -> bool:
    """Whether the file system in memory may be filled with servers' data."""
    if not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return False
    room = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
    return room >= MUCH_MEMORY


def kill_recorded(folder: Path) -> None:
    """``kill -9`` every process recorded in the folder."""
    for record in sorted((folder / "run").glob("*.json")):
        Process(record, folder / "logs" / f"{record.stem}.log").kill()


def clear(folder: Path) -> None:
    """End everything recorded in the folder, for good: containers go with their data."""
    kill_recorded(folder)
    if any((folder / "run").glob("*.container")):
        from espace_stack.parts.containers import remove_recorded

        remove_recorded(folder)


def main() -> None:
    """Wait for the end of standard input, then clean up the folder named on the command line."""
    folder = Path(sys.argv[1])
    sys.stdin.buffer.read()
    clear(folder)
    for place in {reachable_folder(folder), folder}:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
