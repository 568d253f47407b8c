"""Keys of a new stack, made on the machine."""

import base64
import secrets

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes


def rsa_pem() -> str:
    """A private RSA key for identity's tokens."""
    return _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def ec_pem() -> str:
    """A private P-256 key for the documents service's statements."""
    return _pem(ec.generate_private_key(ec.SECP256R1()))


def base64_key() -> str:
    """32 random bytes."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _pem(key: PrivateKeyTypes) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
