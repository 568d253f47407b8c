"""Does a PDF open? Asked of a process with little memory, little time and nothing else to do."""

import atexit
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from documents_service.model.document import UploadRefused

JUDGE: Final = "documents_service.pdf_judge"
PATIENCE_SECONDS: Final = 25.0
"""Longer than the judge gives a file."""
_BEGUN, _OPENS, _ENCRYPTED = b"b", b"o", b"e"


class JudgeFailed(RuntimeError):
    """Nobody judged: a fault of ours, which says nothing of the file; with what the judge wrote."""


class Judge:
    """The process that judges, started at the first file and again if it has ended; safe between threads.

    It ends when this process does: it then reads the end of the socket between them.
    """

    def __init__(self, module: str = JUDGE) -> None:
        self._module = module
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def verdict(self, path: Path) -> bytes:
        """What it says of a file, ``BEGUN`` first; ends early where a limit was hit."""
        ours, theirs = socket.socketpair()
        with ours, path.open("rb") as file:
            with theirs:
                self._ask(theirs.fileno(), file.fileno())
            ours.settimeout(PATIENCE_SECONDS)
            said = b""
            while piece := _received(ours):
                said += piece
        if not said:
            raise JudgeFailed(self.end())
        return said

    def _ask(self, *descriptors: int) -> None:
        with self._lock:
            if self._process is None or self._socket is None or self._process.poll() is not None:
                self._start()
            assert self._socket is not None
            try:
                socket.send_fds(self._socket, [b"?"], list(descriptors))
            except OSError as error:
                raise JudgeFailed(str(error)) from error

    def _start(self) -> None:
        if self._socket is not None:
            self._socket.close()
        if self._process is not None and self._process.stderr is not None:
            self._process.stderr.close()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", self._module, str(theirs.fileno())],
                env={},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
            )

    def end(self) -> str:
        """End the process, with what it has complained of."""
        with self._lock:
            process, self._process = self._process, None
            if self._socket is not None:
                self._socket.close()
        if process is None or process.stderr is None:
            return ""
        process.kill()
        with process.stderr as stderr:
            words = stderr.read()
        process.wait()
        return words.decode(errors="replace")[-500:]


judge = Judge()
atexit.register(judge.end)


def check_pdf(path: Path) -> None:
    """Open ``path`` elsewhere.

    Raises:
        UploadRefused: ``pdf_encrypted`` or ``pdf_unreadable`` (broken, or too costly to read).
        JudgeFailed: nobody can tell.
    """
    said = judge.verdict(path)
    if said == _BEGUN + _OPENS:
        return
    raise UploadRefused("pdf_encrypted" if said == _BEGUN + _ENCRYPTED else "pdf_unreadable")


def _received(answer: socket.socket) -> bytes:
    """What was said next; nothing at the end, or when it takes too long."""
    try:
        return answer.recv(16)
    except TimeoutError:
        return b""
