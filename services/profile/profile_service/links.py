"""The token in a confirmation link: derived, never stored; the confirmation's row makes it single-use."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from uuid import UUID

_PURPOSE = b"email-confirmation\0"


def token(key: str, confirmation_id: UUID, expires_at: datetime) -> str:
    """64 URL-safe characters: the confirmation's id and an HMAC-SHA256 over id and expiry."""
    return base64.urlsafe_b64encode(confirmation_id.bytes + _mac(key, confirmation_id, expires_at)).decode()


def confirmation_id(token: str) -> UUID | None:
    """Which confirmation a token speaks of; None when it is not one of ours by its form."""
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return UUID(bytes=raw[:16]) if len(raw) == 48 else None


def is_genuine(token_: str, key: str, confirmation_id: UUID, expires_at: datetime) -> bool:
    """Whether we made this token for that confirmation; in constant time."""
    return hmac.compare_digest(token_.encode(), token(key, confirmation_id, expires_at).encode())


def _mac(key: str, confirmation_id: UUID, expires_at: datetime) -> bytes:
    message = _PURPOSE + confirmation_id.bytes + int(expires_at.timestamp()).to_bytes(8)
    return hmac.digest(key.encode(), message, hashlib.sha256)
