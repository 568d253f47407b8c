"""Private stacks die with the program that started them, even when that is killed.

A small process waits on a pipe; the pipe's end means that the starter is gone, and it kills whatever
the folder's records name.
"""

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from espace_stack.account import reachable_folder
from espace_stack.process import Process


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
def private_folder(prefix: str = "espace-") -> Iterator[Path]:
    """A new folder that the servers' account can enter; gone afterwards, with what runs in it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    with reaped(folder):
        yield folder


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
