"""Refusals, as services word them."""

import json
from typing import Any

import httpx


def problem(status: int, code: str, detail: str = "Explication.", **more: Any) -> httpx.Response:
    """A problem+json."""
    body = {
        "type": f"urn:espace:problem:{code}",
        "title": "Refused",
        "status": status,
        "code": code,
        "detail": detail,
        "instance": "urn:espace:request:test",
        **more,
    }
    headers = {"Content-Type": "application/problem+json"}
    return httpx.Response(status, content=json.dumps(body), headers=headers)
