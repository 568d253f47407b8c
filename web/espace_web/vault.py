"""Encryption and signatures with keys derived from one secret, each for one purpose."""

import hashlib
import hmac
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


class Tampered(Exception):
    """Sealed bytes that this secret and context do not open."""


class Vault:
    """Seals small JSON objects (AES-256-GCM, bound to a context) and signs short messages (HMAC-SHA-256)."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._cipher = AESGCM(self._key("seal"))
        self._mac_key = self._key("sign")

    def seal(self, data: dict[str, Any], context: str) -> bytes:
        """Encrypt ``data``; only the same ``context`` opens it again."""
        nonce = os.urandom(NONCE_BYTES)
        text = json.dumps(data, separators=(",", ":")).encode()
        return nonce + self._cipher.encrypt(nonce, text, context.encode())

    def open(self, sealed: bytes, context: str) -> dict[str, Any]:
        """Decrypt what :meth:`seal` made.

        Raises:
            Tampered: changed, cut, of another key or of another context.
        """
        try:
            text = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise Tampered from error
        data: dict[str, Any] = json.loads(text)
        return data

    def sign(self, purpose: str, message: str) -> str:
        """The hexadecimal signature of ``message`` for one purpose."""
        return hmac.new(self._mac_key, f"{purpose}\0{message}".encode(), hashlib.sha256).hexdigest()

    def _key(self, purpose: str) -> bytes:
        return HKDF(SHA256(), 32, None, f"espace web {purpose}".encode()).derive(self._secret)
