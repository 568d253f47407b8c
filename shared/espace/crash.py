"""Named points at which a test can kill this process, exactly as ``kill -9`` would.

A point is armed by creating ``$ESPACE_CRASH_DIR/<name>``; the process removes the file and dies. Outside
the test environment, or without the variable, a point does nothing.
"""

import os
import signal
from pathlib import Path


def point(name: str) -> None:
    """Die here by SIGKILL if a test armed ``name``."""
    folder = os.environ.get("ESPACE_CRASH_DIR")
    if not folder or os.environ.get("ESPACE_ENVIRONMENT") != "test":
        return
    try:
        (Path(folder) / name).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)
