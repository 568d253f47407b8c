"""Asking a part whether it answers, as cheaply as it gets: dozens are asked before each test."""

import base64
import http.client
import socket
from urllib.parse import unquote, urlsplit


def status_of(url: str, seconds: float = 5) -> int | None:
    """The status of ``GET url`` (user and password in it are sent), or nothing when there is no answer."""
    parts = urlsplit(url)
    headers = {}
    if parts.username:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request("GET", parts.path or "/", headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def clamd_answers(address: str, seconds: float = 2) -> bool:
    """Whether a clamd answers at ``host:port`` or at the path of a Unix socket."""
    try:
        if "/" in address:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(seconds)
        else:
            host, _, port = address.rpartition(":")
            connection = socket.create_connection((host, int(port)), seconds)
        with connection:
            if "/" in address:
                connection.connect(address)
            connection.sendall(b"zPING\0")
            return connection.recv(16).startswith(b"PONG")
    except (OSError, ValueError):
        return False
