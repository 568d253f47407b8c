"""Signed statements: what this service vouches for about a file, as a JWS (ES256)."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from documents_service.model.document import Document
from espace.auth.signing import Signer

ISSUER: Final = "documents"
STATEMENT_TYPE: Final = "statement+jwt"
MANIFEST_TYPE: Final = "manifest+jws"


class StatementSigner(Signer):
    """Signs what this service vouches for."""

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
        payload = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
        return self.sign(kind, payload)
