"""Opens strangers' PDFs: ``python -m documents_service.pdf_judge DESCRIPTOR``, started by ``pdf_check``.

The process has loaded what it needs before it sees a file, and knows nothing: no environment, no database.
For each file it forks a child, which takes its limits, says that it begins, and says what it has found.
Loading it all for each file took eight times as long as everything else about an upload.
"""

import contextlib
import os
import resource
import signal
import socket
import sys
from typing import Final

import pikepdf

MEMORY: Final = 512 * 1024 * 1024
CPU_SECONDS: Final = 10
WALL_SECONDS: Final = 20
MOST_PAGES: Final = 20_000
BEGUN, OPENS, ENCRYPTED, UNREADABLE = b"b", b"o", b"e", b"u"


def serve(asker: socket.socket) -> None:
    """Judge what comes, each in a child of its own, until the asker is gone."""
    while True:
        _, descriptors, _, _ = socket.recv_fds(asker, 1, 2)
        if not descriptors:
            return
        if os.fork() == 0:
            asker.close()  # a child that a file has taken over hears nothing of the other files
            answer, file = descriptors
            _judge(answer, file)
        for descriptor in descriptors:
            os.close(descriptor)
        _bury()


def _bury() -> None:
    """Children that have ended; the others with the next file."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _judge(answer: int, file: int) -> None:
    """Never returns."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        signal.alarm(WALL_SECONDS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.write(answer, BEGUN)
        os.write(answer, _open(f"/proc/self/fd/{file}"))
    finally:
        os._exit(0)


def _open(path: str) -> bytes:
    try:
        with pikepdf.open(path, suppress_warnings=True) as pdf:
            if pdf.is_encrypted:
                return ENCRYPTED
            if not 1 <= len(pdf.pages) <= MOST_PAGES:
                return UNREADABLE
    except pikepdf.PasswordError:
        return ENCRYPTED
    except Exception:  # noqa: BLE001  whatever a stranger's file brings about is the file's
        return UNREADABLE
    return OPENS


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
