"""Asking clamd whether a file is malicious (its INSTREAM command)."""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

CONNECT_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 120.0
TOO_LONG: Final = "Heuristics.Limits.Exceeded.StreamLength"


class ScannerDown(Exception):
    """clamd does not answer, or not in its language: asked again later."""


@dataclass(frozen=True)
class ScanResult:
    """What clamd found; ``signature`` names the malware."""

    outcome: Literal["clean", "infected"]
    signature: str | None = None


class Scanner:
    """A clamd.

    Args:
        address: ``host:port``, or the path of a Unix socket.

    Raises:
        ValueError: it is neither.
    """

    def __init__(self, address: str) -> None:
        if "/" not in address and not address.rpartition(":")[2].isdecimal():
            raise ValueError(f"{address!r} is neither host:port nor the path of a socket")
        self.address = address

    def answers(self) -> bool:
        """Whether it is there (clamd's PING)."""
        try:
            with self._connect() as connection:
                connection.settimeout(CONNECT_SECONDS)
                connection.sendall(b"zPING\0")
                return self._answer(connection) == "PONG"
        except OSError:
            return False

    def scan(self, pieces: Iterable[bytes]) -> ScanResult:
        """Send the file's bytes and wait for the verdict.

        A file longer than clamd takes is not passed: it counts as infected, as clamd's own
        ``Heuristics.Limits.Exceeded`` does.

        Raises:
            ScannerDown: no verdict.
        """
        try:
            with self._connect() as connection:
                try:
                    connection.sendall(b"zINSTREAM\0")
                    for piece in pieces:
                        if piece:
                            connection.sendall(len(piece).to_bytes(4, "big") + piece)
                    connection.sendall(b"\0\0\0\0")
                except (BrokenPipeError, ConnectionResetError):
                    pass  # it answers and hangs up when the stream is too long
                answer = self._answer(connection)
        except OSError as error:
            raise ScannerDown(f"{type(error).__name__}: {error}") from error
        if answer == "stream: OK":
            return ScanResult("clean")
        if answer.endswith(" FOUND"):
            return ScanResult("infected", answer.removeprefix("stream: ").removesuffix(" FOUND"))
        if answer.startswith("INSTREAM size limit exceeded"):
            return ScanResult("infected", TOO_LONG)
        raise ScannerDown(f"it answered {answer[:200]!r}")

    def _connect(self) -> socket.socket:
        if "/" in self.address:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(CONNECT_SECONDS)
            try:
                connection.connect(self.address)
            except OSError:
                connection.close()
                raise
        else:
            host, _, port = self.address.rpartition(":")
            connection = socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS)
        connection.settimeout(ANSWER_SECONDS)
        return connection

    @staticmethod
    def _answer(connection: socket.socket) -> str:
        received = b""
        while not received.endswith(b"\0") and len(received) < 4096 and (piece := connection.recv(4096)):
            received += piece
        return received.rstrip(b"\0\n").decode("utf-8", "replace")
