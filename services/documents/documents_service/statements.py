"""Signed statements: what this service vouches for about a file, as a JWS (ES256)."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from joserfc import jws
from joserfc.jwk import ECKey

from documents_service.model.document import Document

ALGORITHM: Final = "ES256"
ISSUER: Final = "documents"
STATEMENT_TYPE: Final = "statement+jwt"
MANIFEST_TYPE: Final = "manifest+jws"


class Signer:
    """The keys of the statements.

    Args:
        pems: one or more private P-256 keys, one PEM after the other; the first signs.

    Raises:
        ValueError: there is no such key in it.
    """

    def __init__(self, pems: str) -> None:
        found = re.findall(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", pems, re.S
        )
        self._keys = [ECKey.import_key(pem) for pem in found]
        if not self._keys or any(key.curve_name != "P-256" or not key.is_private for key in self._keys):
            raise ValueError("ESPACE_STATEMENT_KEY must hold private keys of the curve P-256 as PEM")
        for key in self._keys:
            key.ensure_kid()

    def jwks(self) -> dict[str, Any]:
        """The public keys."""
        published = [{**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM} for key in self._keys]
        return {"keys": published}

    def statement(self, document: Document, *, content_type: str, at: datetime) -> str:
        """What is vouched for about a verified upload."""
        claims = {
            "iss": ISSUER,
            "sub": str(document.id),
            "iat": int(at.timestamp()),
            "owner": str(document.owner_id),
            "dossier_id": str(document.dossier_id),
            "slot": document.slot,
            "filename": document.filename,
            "content_type": content_type,
            "size": document.size,
            "sha256": document.sha256,
        }
        return self._sign(STATEMENT_TYPE, claims)

    def seal(self, manifest: Mapping[str, Any]) -> str:
        """A deposit manifest under the same key; its payload is the manifest itself."""
        return self._sign(MANIFEST_TYPE, manifest)

    def _sign(self, kind: str, content: Mapping[str, Any]) -> str:
        key = self._keys[0]
        header = {"alg": ALGORITHM, "kid": key.kid, "typ": kind}
        payload = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
        return jws.serialize_compact(header, payload, key, algorithms=[ALGORITHM])
