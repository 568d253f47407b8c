"""Encryption and signatures with keys derived from secrets, each for one purpose."""

import hashlib
import hmac
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


class Tampered(Exception):
    """Sealed bytes that no secret in use opens in this context."""


class Vault:
    """Seals small JSON objects (AES-256-GCM, bound to a context) and signs short messages (HMAC-SHA-256).

    Args:
        secrets: the first seals and signs, all of them open and verify: a new one is put before the old one
            until nothing of the old one is alive.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._ciphers = [AESGCM(_key(secret, "seal")) for secret in secrets]
        self._mac_keys = [_key(secret, "sign") for secret in secrets]

    def seal(self, data: dict[str, Any], context: str) -> bytes:
        """Encrypt ``data``; only the same ``context`` opens it again."""
        nonce = os.urandom(NONCE_BYTES)
        text = json.dumps(data, separators=(",", ":")).encode()
        return nonce + self._ciphers[0].encrypt(nonce, text, context.encode())

    def open(self, sealed: bytes, context: str) -> dict[str, Any]:
        """Decrypt what :meth:`seal` made.

        Raises:
            Tampered: changed, cut, of an unknown key or of another context.
        """
        for cipher in self._ciphers:
            with suppress(InvalidTag, ValueError):
                text = cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
                data: dict[str, Any] = json.loads(text)
                return data
        raise Tampered

    def sign(self, purpose: str, message: str) -> str:
        """The hexadecimal signature of ``message`` for one purpose."""
        return _signature(self._mac_keys[0], purpose, message)

    def signed(self, purpose: str, message: str, signature: str) -> bool:
        """Whether this is a signature of ``message``."""
        return any(
            hmac.compare_digest(signature.encode(), _signature(key, purpose, message).encode())
            for key in self._mac_keys
        )


def _key(secret: str, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, None, f"espace web {purpose}".encode()).derive(secret.encode())


def _signature(key: bytes, purpose: str, message: str) -> str:
    return hmac.new(key, f"{purpose}\0{message}".encode(), hashlib.sha256).hexdigest()
