"""Documents' signed statement about a file: which bytes, whose, for which slot of which dossier."""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

import httpx
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from dossier_service.pieces import FileFacts
from espace.auth.keys import fetch_key_set
from espace.errors import TransientError

ALGORITHM, TYPE, ISSUER = "ES256", "statement+jwt", "documents"
_SHA256 = re.compile(r"[0-9a-f]{64}")
Fetch = Callable[[], Mapping[str, Any]]


class InvalidStatement(Exception):
    """Not signed by documents, or about something else."""


class StatementKeys:
    """The public keys of documents, fetched when needed and kept while documents is away.

    An unknown key id asks for the set again, at most once in ten seconds.
    """

    def __init__(self, fetch: Fetch, *, interval: float = 10.0) -> None:
        self._fetch = fetch
        self._interval = interval
        self._lock = threading.Lock()
        self._keys: dict[str, ECKey] = {}
        self._tried_at: float | None = None

    @classmethod
    def at(cls, documents_url: str) -> "StatementKeys":
        """The keys that documents publishes at its inside address."""
        return cls(partial(fetch_key_set, f"{documents_url}/internal/v1/statement-keys"))

    def find(self, kid: str) -> ECKey | None:
        """The key of that id.

        Raises:
            TransientError: no key was ever had and documents does not answer.
        """
        with self._lock:
            if kid not in self._keys:
                self._refresh()
            if not self._keys:
                raise TransientError("the keys of documents cannot be had")
            return self._keys.get(kid)

    def _refresh(self) -> None:
        now = time.monotonic()
        pause = self._interval if self._keys else 1.0
        if self._tried_at is not None and now - self._tried_at < pause:
            return
        self._tried_at = now
        try:
            found = self._fetch()["keys"]
            self._keys = {key["kid"]: ECKey.import_key(key) for key in found if key.get("kty") == "EC"}
        except (httpx.HTTPError, ValueError, KeyError, TypeError, JoseError):
            return  # the keys in hand are used on; without any, find() says so


def read_statement(compact: str, keys: StatementKeys, *, owner_id: UUID, dossier_id: UUID) -> FileFacts:
    """Verify a statement and what it is about.

    Raises:
        InvalidStatement: the signature, the owner or the dossier is not the right one.
        TransientError: the keys cannot be had.
    """
    try:
        header = jws.extract_compact(compact.encode()).headers()
        key = keys.find(str(header.get("kid", "")))
        if header.get("alg") != ALGORITHM or header.get("typ") != TYPE or key is None:
            raise InvalidStatement("algorithm, type or key")
        claims = json.loads(jws.deserialize_compact(compact, key, algorithms=[ALGORITHM]).payload)
        facts = FileFacts(
            document_id=UUID(claims["sub"]),
            dossier_id=UUID(claims["dossier_id"]),
            owner_id=UUID(claims["owner"]),
            slot=str(claims["slot"]),
            filename=str(claims["filename"]),
            size=int(claims["size"]),
            sha256=str(claims["sha256"]),
            content_type=str(claims["content_type"]),
        )
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidStatement(type(error).__name__) from error
    if claims.get("iss") != ISSUER or facts.size < 1 or not _SHA256.fullmatch(facts.sha256):
        raise InvalidStatement("issuer, size or hash")
    if facts.owner_id != owner_id or facts.dossier_id != dossier_id:
        raise InvalidStatement("owner or dossier")
    return facts
