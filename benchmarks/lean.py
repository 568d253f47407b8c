"""The least of HTTP clients: what it costs is taken from the cores that are measured."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

TIMEOUT = 60.0


@dataclass(frozen=True)
class Answer:
    """Status, header lines as they came (names in lower case), body."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The first of that name, or nothing."""
        return next((value for key, value in self.headers if key == name), "")


class Lean:
    """One connection that is kept. Not for several threads."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        self.host = parts.netloc
        self._address = ("127.0.0.1", parts.port or 80)
        self._socket: socket.socket | None = None
        self._read = b""

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Answer:
        """One request and its answer.

        Raises:
            OSError: the connection broke; nothing is repeated, since a bench has to see it.
        """
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body or method in ("POST", "PUT", "PATCH"):
            lines.append(f"Content-Length: {len(body)}")
        if self._socket is None:
            self._socket = socket.create_connection(self._address, TIMEOUT)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._read = b""
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        return self._answer()

    def close(self) -> None:
        """End the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _answer(self) -> Answer:
        head = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
        pairs = (line.partition(":") for line in head[1:] if line)
        headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
        found = dict(headers)
        if found.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self._until(b"\r\n").strip().split(b";")[0], 16):
                body += self._exactly(size)
                self._exactly(2)
            self._until(b"\r\n")
        else:
            body = self._exactly(int(found.get("content-length", 0)))
        if found.get("connection") == "close":
            self.close()
        return Answer(status, headers, body)

    def _until(self, end: bytes) -> bytes:
        while (at := self._read.find(end)) < 0:
            self._more()
        taken, self._read = self._read[:at], self._read[at + len(end) :]
        return taken

    def _exactly(self, size: int) -> bytes:
        while len(self._read) < size:
            self._more()
        taken, self._read = self._read[:size], self._read[size:]
        return taken

    def _more(self) -> None:
        assert self._socket is not None
        more = self._socket.recv(262_144)
        if not more:
            self.close()
            raise ConnectionError("the server closed the connection within an answer")
        self._read += more
