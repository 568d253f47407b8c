"""Does a PDF open? Asked in a child process with little memory, little time and nothing else to do.

``python -m documents_service.pdf_check FILE`` is that child; its exit status is the answer.
"""

import resource
import subprocess
import sys
from pathlib import Path
from typing import Final

from documents_service.model.document import UploadRefused

MEMORY: Final = 512 * 1024 * 1024
CPU_SECONDS: Final = 10
WALL_SECONDS: Final = 20
MOST_PAGES: Final = 20_000

JUDGE: Final = "documents_service.pdf_check"
_OPENS, _ENCRYPTED, _UNREADABLE = 0, 10, 11


class JudgeFailed(RuntimeError):
    """The child did not judge: a fault of ours, which says nothing of the file; with what it wrote."""


def check_pdf(path: Path) -> None:
    """Open ``path`` elsewhere.

    Raises:
        UploadRefused: ``pdf_encrypted`` or ``pdf_unreadable`` (broken, or too costly to read).
        JudgeFailed: nobody can tell.
    """
    command = [sys.executable, "-I", "-m", JUDGE, str(path)]
    try:
        child = subprocess.run(
            command, env={}, stdin=subprocess.DEVNULL, capture_output=True, timeout=WALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise UploadRefused("pdf_unreadable") from None
    if child.returncode == _ENCRYPTED:
        raise UploadRefused("pdf_encrypted")
    if child.returncode == _UNREADABLE or child.returncode < 0:  # by a signal: it has hit a limit, or crashed
        raise UploadRefused("pdf_unreadable")
    if child.returncode != _OPENS:
        raise JudgeFailed(child.stderr.decode(errors="replace")[-500:])


def _open(path: str) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import pikepdf  # after the limits: its libraries read what a stranger wrote

    try:
        with pikepdf.open(path, suppress_warnings=True) as pdf:
            if pdf.is_encrypted:
                return _ENCRYPTED
            if not 1 <= len(pdf.pages) <= MOST_PAGES:
                return _UNREADABLE
    except pikepdf.PasswordError:
        return _ENCRYPTED
    except Exception:  # noqa: BLE001  whatever a stranger's file brings about is the file's
        return _UNREADABLE
    return _OPENS


if __name__ == "__main__":
    sys.exit(_open(sys.argv[1]))
