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

_OPENS, _ENCRYPTED, _UNREADABLE = 0, 10, 11


def check_pdf(path: Path) -> None:
    """Open ``path`` elsewhere.

    Raises:
        UploadRefused: ``pdf_encrypted`` or ``pdf_unreadable`` (broken, or too costly to read).
    """
    command = [sys.executable, "-I", "-m", "documents_service.pdf_check", str(path)]
    try:
        answer = subprocess.run(
            command, env={}, stdin=subprocess.DEVNULL, capture_output=True, timeout=WALL_SECONDS, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        answer = _UNREADABLE
    if answer == _ENCRYPTED:
        raise UploadRefused("pdf_encrypted")
    if answer != _OPENS:
        raise UploadRefused("pdf_unreadable")


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
    except (pikepdf.PdfError, ValueError, TypeError, RuntimeError, MemoryError, RecursionError):
        return _UNREADABLE
    return _OPENS


if __name__ == "__main__":
    sys.exit(_open(sys.argv[1]))
