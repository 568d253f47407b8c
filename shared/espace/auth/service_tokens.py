"""Tokens in our own name, for calls to another service (client credentials, RFC 6749 4.4 and 8707)."""

import threading
import time
from collections.abc import Callable

import httpx

from espace.auth import tls
from espace.errors import TransientError
from espace.telemetry import cause_headers, get_logger

log = get_logger()
MARGIN_SECONDS = 30


class ServiceTokens:
    """Asks identity for tokens and keeps each until shortly before it expires. Safe between threads."""

    def __init__(
        self,
        identity_url: str,
        client_id: str,
        client_secret: str,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = f"{identity_url}/identity/token"
        self._credentials = httpx.BasicAuth(client_id, client_secret)
        self._http = httpx.Client(
            timeout=httpx.Timeout(5.0, connect=2.0),
            transport=transport,
            trust_env=False,
            verify=tls.context(identity_url),
        )
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[str, float]] = {}

    def get(self, audience: str) -> str:
        """A token that ``audience`` accepts.

        Raises:
            TransientError: identity does not answer or does not know us.
        """
        with self._lock:
            kept = self._kept.get(audience)
            if kept is None or kept[1] <= self._clock():
                kept = self._kept[audience] = self._ask(audience)
            return kept[0]

    def forget(self, audience: str) -> None:
        """Drop the token for ``audience``: it was refused, ask for another one next time."""
        with self._lock:
            self._kept.pop(audience, None)

    def _ask(self, audience: str) -> tuple[str, float]:
        asked_at = self._clock()
        try:
            response = self._http.post(
                self._url,
                data={"grant_type": "client_credentials", "resource": audience},
                auth=self._credentials,
                headers=cause_headers(),
            )
            response.raise_for_status()
            answer = response.json()
            token, life = str(answer["access_token"]), float(answer["expires_in"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise TransientError(f"no token for {audience}: {type(error).__name__}") from error
        log.info("auth.service_token_issued", audience=audience)
        return token, asked_at + max(life - MARGIN_SECONDS, life / 2)
