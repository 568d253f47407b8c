"""Keys of our own that sign, and the set of public keys by which others verify (JWS, RFC 7515; ES256)."""

import re
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

ALGORITHM: Final = "ES256"
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.S)


class Signer:
    """Signs with the first of its keys; all of them are published, so that keys can be changed.

    Args:
        pems: one or more private P-256 keys, one PEM after the other.

    Raises:
        ValueError: there is no such key in it, or another one.
    """

    def __init__(self, pems: str) -> None:
        try:
            self._keys = [ECKey.import_key(pem) for pem in _PEM.findall(pems)]
        except (JoseError, ValueError) as error:
            raise ValueError("not private P-256 keys as PEM") from error
        if not self._keys or any(key.curve_name != "P-256" or not key.is_private for key in self._keys):
            raise ValueError("not private P-256 keys as PEM")
        for key in self._keys:
            key.ensure_kid()

    def jwks(self) -> dict[str, Any]:
        """The public keys."""
        published = [{**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM} for key in self._keys]
        return {"keys": published}

    def sign(self, kind: str, payload: bytes) -> str:
        """A compact JWS of ``payload``; ``kind`` is its ``typ``."""
        key = self._keys[0]
        header = {"alg": ALGORITHM, "kid": key.kid, "typ": kind}
        return jws.serialize_compact(header, payload, key, algorithms=[ALGORITHM])

    def detached(self, kind: str, payload: bytes) -> str:
        """A JWS without its payload (RFC 7515, appendix F), to travel beside the very bytes it signs."""
        return jws.detach_content(self.sign(kind, payload))
