"""Personal facts at rest: sealed per citizen, so that destroying one key erases one person.

Each citizen has a random key, wrapped by the master key; her facts (national number, names, address, source
e-mail) are one sealed record. Looking a number up needs the keyed hash: an HMAC under a key of its own.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from espace.config import SettingsError

KEY_BYTES = 32
_NONCE_BYTES = 12


class Vault:
    """Seals and opens with the master key of ``ESPACE_NATIONAL_NUMBER_KEY`` (base64 of 32 bytes)."""

    def __init__(self, master_key: str) -> None:
        try:
            master = base64.b64decode(master_key, validate=True)
        except (binascii.Error, ValueError):
            master = b""
        if len(master) != KEY_BYTES:
            raise SettingsError("ESPACE_NATIONAL_NUMBER_KEY is not the base64 of 32 bytes")
        self._wrapping = AESGCM(_derive(master, b"espace.identity.wrap.v1"))
        self._lookup = _derive(master, b"espace.identity.lookup.v1")

    def hash(self, national_number: str) -> bytes:
        """What a number is looked up by."""
        return hmac.new(self._lookup, national_number.encode(), hashlib.sha256).digest()

    def new_key(self, citizen_id: UUID) -> bytes:
        """A wrapped key for one citizen."""
        return _seal(self._wrapping, secrets.token_bytes(KEY_BYTES), citizen_id)

    def knows(self, citizen_id: UUID, wrapped_key: bytes) -> bool:
        """Whether her key was wrapped with this master key."""
        try:
            self._key(citizen_id, wrapped_key)
        except InvalidTag:
            return False
        return True

    def seal(self, citizen_id: UUID, wrapped_key: bytes, facts: dict[str, Any]) -> bytes:
        """Her facts, sealed."""
        return _seal(self._key(citizen_id, wrapped_key), json.dumps(facts).encode(), citizen_id)

    def open(self, citizen_id: UUID, wrapped_key: bytes, sealed: bytes) -> dict[str, Any]:
        """Her facts, opened.

        Raises:
            cryptography.exceptions.InvalidTag: not her record, or not our key.
        """
        facts: dict[str, Any] = json.loads(_open(self._key(citizen_id, wrapped_key), sealed, citizen_id))
        return facts

    def _key(self, citizen_id: UUID, wrapped_key: bytes) -> AESGCM:
        return AESGCM(_open(self._wrapping, wrapped_key, citizen_id))


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(master)


def _seal(key: AESGCM, content: bytes, citizen_id: UUID) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + key.encrypt(nonce, content, citizen_id.bytes)


def _open(key: AESGCM, sealed: bytes, citizen_id: UUID) -> bytes:
    return key.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], citizen_id.bytes)
