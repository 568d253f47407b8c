"""A disk of its own for a server, small enough to be filled to its last byte without harm to anybody else."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MEBIBYTES: Final = 1500
FILLER: Final = "filler"


def may_mount() -> bool:
    """Whether this account can; root only."""
    return os.geteuid() == 0


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """``folder``, which is made, is a file system in memory while inside."""
    folder.mkdir(parents=True)
    options = f"size={MEBIBYTES}m,mode=755"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "espace-chaos", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> None:
    """Leave no block free on the disk of ``folder``, whoever else writes there meanwhile."""
    with (folder / FILLER).open("ab", buffering=0) as filler:
        for size in (1 << 20, 4096):
            try:
                while True:
                    filler.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


def empty(folder: Path) -> None:
    """Take the filler away."""
    (folder / FILLER).unlink()
