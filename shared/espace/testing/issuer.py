"""For tests of one service: an issuer of tokens with keys of its own.

Whole-platform tests never mint tokens; they log in.
"""

import json
import time
from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

from joserfc import jws
from joserfc.jwk import RSAKey

from espace.auth import StaticKeys, TokenVerifier
from espace.clock import utcnow

LEVEL_450 = "urn:be:fedict:iam:fas:Level450"


@cache
def _signing_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "test", "use": "sig", "alg": "RS256"})


class Issuer:
    """Signs what a test wants, rightly or wrongly."""

    def __init__(self, issuer: str = "http://localhost:8080/identity") -> None:
        self.issuer = issuer
        self.key = _signing_key()

    @property
    def jwks(self) -> dict[str, Any]:
        """The public key set."""
        return {"keys": [self.key.as_dict(private=False)]}

    def verifier(self) -> TokenVerifier:
        """What ``create_app(…, verifier=…)`` takes."""
        return TokenVerifier(self.issuer, StaticKeys(self.jwks))

    def citizen(self, citizen_id: UUID | str, **claims: Any) -> str:
        """An access token of a citizen who logged in with level 450."""
        return self.sign(
            {
                "sub": str(citizen_id),
                "aud": "espace",
                "client_id": "web",
                "acr": LEVEL_450,
                "amr": ["itsme", LEVEL_450],
                "auth_time": int(utcnow().timestamp()),
                "scope": "openid profile",
                "sid": "session-for-tests",
                **claims,
            }
        )

    def service(self, client: str, audience: str, **claims: Any) -> str:
        """An access token of a service for another."""
        return self.sign({"sub": client, "client_id": client, "aud": audience, **claims})

    def sign(
        self,
        claims: Mapping[str, Any],
        *,
        header: Mapping[str, Any] | None = None,
        key: Any = None,
        algorithm: str = "RS256",
    ) -> str:
        """A token of these claims, with issuer, times and id filled in; a claim of None is left out."""
        now = int(utcnow().timestamp())
        filled = {
            "iss": self.issuer,
            "iat": now,
            "exp": now + 300,
            "jti": f"{now}-{time.perf_counter_ns()}",
            **claims,
        }
        body = {name: value for name, value in filled.items() if value is not None}
        head = {"alg": algorithm, "typ": "at+jwt", "kid": self.key.kid, **(header or {})}
        return jws.serialize_compact(
            {name: value for name, value in head.items() if value is not None},
            _dumps(body),
            key or self.key,
            algorithms=[algorithm],
        )


def bearer(token: str, **headers: str) -> dict[str, str]:
    """Request headers with the token; further ones by keyword, underscores for hyphens."""
    return {
        "Authorization": f"Bearer {token}",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }


def _dumps(claims: Mapping[str, Any]) -> bytes:
    return json.dumps(claims).encode()
