"""The National Register's port: names as registered, address and commune, by national number.

``POST <url>/register/look-up`` with ``{"national_number": "…"}``: a number in an address would end in logs.
"""

from typing import Any, Protocol

import httpx

from espace.telemetry import get_logger
from identity_service.settings import Settings

log = get_logger()
FIELDS = ("given_name", "family_name", "birthdate", "address", "commune_ins")


class Register(Protocol):
    """Who knows addresses."""

    def look_up(self, national_number: str) -> dict[str, Any] | None:
        """The record, or None: nobody of that number, or no answer in time (logins go on without)."""


class HttpRegister:
    """The register behind an address and a bearer secret."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(
            base_url=settings.register_url,
            headers={"Authorization": f"Bearer {settings.register_secret}"},
            timeout=httpx.Timeout(2.0, connect=1.0),
            transport=transport,
            trust_env=False,
        )

    def look_up(self, national_number: str) -> dict[str, Any] | None:
        """Ask."""
        try:
            answer = self._http.post("/register/look-up", json={"national_number": national_number})
            if answer.status_code == 404:
                return None
            answer.raise_for_status()
            record = answer.json()
            return {name: record[name] for name in FIELDS if record.get(name)}
        except (httpx.HTTPError, ValueError, TypeError, AttributeError) as error:
            log.warning("call.failed", audience="register", status=0, reason=type(error).__name__)
            return None
