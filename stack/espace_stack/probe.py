"""Asking a part whether it answers, as cheaply as it gets: dozens are asked before each test."""

import base64
import http.client
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
