"""The keys that sign our tokens: several, so that they can be rotated without a gap.

Rotation: put the new key last (it is published), wait until every cache has it (five minutes), move it to
the front (it signs), and drop the old one when the last token it signed has expired.
"""

import re
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey

from espace.config import SettingsError

ALGORITHM = "RS256"
MIN_BITS = 2048
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)


class SigningKeys:
    """RSA keys in the order of the setting; the first signs, all verify and are published."""

    def __init__(self, pem: str) -> None:
        try:
            keys = [
                RSAKey.import_key(text, {"use": "sig", "alg": ALGORITHM, "key_ops": ["sign", "verify"]})
                for text in _PEM.findall(pem)
            ]
        except (JoseError, ValueError) as error:
            raise SettingsError(f"ESPACE_SIGNING_KEYS: a key cannot be read: {error}") from error
        if not keys:
            raise SettingsError("ESPACE_SIGNING_KEYS: no RSA private key in PEM form")
        for key in keys:
            key.ensure_kid()
            if key.public_key.key_size < MIN_BITS:
                raise SettingsError(f"ESPACE_SIGNING_KEYS: a key is shorter than {MIN_BITS} bits")
        self.all = KeySet(list(keys))
        self.signing = KeySet([keys[0]])

    @property
    def jwks(self) -> dict[str, Any]:
        """The public key set."""
        published = []
        for key in self.all.keys:
            public = key.as_dict(private=False)
            public.pop("key_ops", None)
            published.append(public)
        return {"keys": published}
