"""The public keys that tokens are verified with: identity's own JWKS and no other source."""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from espace.auth import tls
from espace.errors import TransientError
from espace.telemetry import cause_headers, get_logger

log = get_logger()


class KeySource(Protocol):
    """Where a verifier finds a key by its id."""

    def find(self, kid: str) -> RSAKey | None:
        """The key, or None when there is none of that id."""


class StaticKeys:
    """Keys that are at hand."""

    def __init__(self, jwks: Mapping[str, Any]) -> None:
        self._keys = parse(jwks)

    def find(self, kid: str) -> RSAKey | None:
        """The key of that id."""
        return self._keys.get(kid)


class JwksCache:
    """The key set at ``url``, fetched when needed, at most once in ``interval`` seconds.

    A set in hand is used on while its address does not answer, however old it is. An unknown key id asks
    for the set again (keys rotate), within the same limit, so that invented ids cost nothing.
    """

    def __init__(
        self,
        url: str,
        *,
        max_age: float = 300,
        interval: float = 10,
        fetch: Callable[[str], Mapping[str, Any]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._max_age, self._interval = url, max_age, interval
        self._fetch, self._clock = fetch or fetch_key_set, clock
        self._lock = threading.Lock()
        self._keys: dict[str, RSAKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None

    def find(self, kid: str) -> RSAKey | None:
        """The key of that id.

        Raises:
            TransientError: the set was never had and its address does not answer.
        """
        now = self._clock()
        fresh = self._fetched_at is not None and now - self._fetched_at < self._max_age
        if kid not in self._keys or not fresh:
            # Whoever holds keys does not wait for another thread's fetch; whoever holds none does.
            if self._lock.acquire(blocking=self._fetched_at is None or kid not in self._keys):
                try:
                    self._refresh(kid)
                finally:
                    self._lock.release()
            if self._fetched_at is None:
                raise TransientError("the signing keys of identity cannot be had")
        return self._keys.get(kid)

    def _refresh(self, kid: str) -> None:
        now = self._clock()
        if self._fetched_at is not None and now - self._fetched_at < self._max_age and kid in self._keys:
            return  # another thread was here meanwhile
        pause = self._interval if self._fetched_at is not None else min(1.0, self._interval)
        if self._tried_at is not None and now - self._tried_at < pause:
            return
        self._tried_at = now
        try:
            self._keys = parse(self._fetch(self._url))
            self._fetched_at = now
            log.info("auth.keys_fetched", count=len(self._keys))
        except (httpx.HTTPError, ValueError, JoseError) as error:
            log.warning("auth.keys_stale", reason=type(error).__name__)


def parse(jwks: Mapping[str, Any]) -> dict[str, RSAKey]:
    """The RSA signature keys of a key set, by id; other keys are passed over.

    Raises:
        ValueError: it is not a key set.
    """
    keys = jwks.get("keys")
    if not isinstance(keys, list):
        raise ValueError("a key set has a list of keys")  # noqa: TRY004
    return {
        key["kid"]: RSAKey.import_key(key)
        for key in keys
        if key.get("kty") == "RSA" and key.get("kid") and key.get("use", "sig") == "sig"
    }


def fetch_key_set(url: str) -> Mapping[str, Any]:
    """The JSON object that a service of ours publishes at ``url``.

    Raises:
        httpx.HTTPError: no answer within seconds, or an error.
        ValueError: it is no JSON object.
    """
    response = httpx.get(
        url,
        headers=cause_headers(),
        timeout=httpx.Timeout(3.0, connect=1.0),
        trust_env=False,
        verify=tls.context(url),
    )
    response.raise_for_status()
    content: Mapping[str, Any] = response.json()
    if not isinstance(content, dict):
        raise ValueError("a key set is a JSON object")  # noqa: TRY004
    return content
