"""What identity signs, verified: RS256 only, keys of identity alone, issuer, audience, expiry."""

import re
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import extract_compact

from espace.auth import KeySource
from espace.clock import utcnow
from espace.errors import TransientError
from espace_web.settings import CLIENT_ID

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LEEWAY_SECONDS = 10
LOGOUT_TOKEN_SECONDS = 180
LEVEL = re.compile(r"Level([0-9]{1,4})\Z")


class LoginRefused(Exception):
    """The provider's answer does not hold; the text says why, for the log and never for the page."""


class IdentityAway(Exception):
    """Identity did not answer."""


class TokenVerifier:
    """Verifies the id tokens and logout tokens of one issuer for this client."""

    def __init__(self, issuer: str, keys: KeySource) -> None:
        self._issuer = issuer
        self._keys = keys

    def id_token(self, token: str) -> dict[str, Any]:
        """The claims of an id token (OpenID Connect Core 1.0, 3.1.3.7).

        Raises:
            LoginRefused: it is not one, or not for us.
            IdentityAway: the keys could not be had.
        """
        return self._claims(token, "jwt", lasting=True)

    def logout_token(self, token: str) -> dict[str, Any]:
        """The claims of a back-channel logout token (OpenID Connect Back-Channel Logout 1.0, 2.6).

        Raises:
            LoginRefused: it is not one, not for us, too old, or carries a nonce.
            IdentityAway: the keys could not be had.
        """
        claims = self._claims(token, "logout+jwt", lasting=False)
        events = claims.get("events")
        if not isinstance(events, dict) or LOGOUT_EVENT not in events:
            raise LoginRefused("no logout event")
        if "nonce" in claims:
            raise LoginRefused("nonce in a logout token")
        if not isinstance(claims.get("jti"), str) or not (claims.get("sid") or claims.get("sub")):
            raise LoginRefused("jti, or both sid and sub, missing")
        if abs(utcnow().timestamp() - float(claims["iat"])) > LOGOUT_TOKEN_SECONDS:
            raise LoginRefused("issued too long ago")
        return claims

    def _claims(self, token: str, typ: str, *, lasting: bool) -> dict[str, Any]:
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": CLIENT_ID},
            iat={"essential": True},
            exp={"essential": lasting},
            sub={"essential": lasting},
        )
        try:
            parsed = jwt.decode(token, self._key_of(token), algorithms=["RS256"])
            if str(parsed.header.get("typ", "JWT")).lower() != typ:
                raise LoginRefused("another type of token")
            registry.validate(parsed.claims)
        except (JoseError, ValueError, TypeError) as error:
            raise LoginRefused(f"token refused: {type(error).__name__}") from error
        claims: dict[str, Any] = parsed.claims
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != CLIENT_ID:
            raise LoginRefused("azp differs")
        return claims

    def _key_of(self, token: str) -> RSAKey:
        kid = extract_compact(token.encode()).headers().get("kid")
        try:
            key = self._keys.find(kid) if isinstance(kid, str) else None
        except TransientError as error:
            raise IdentityAway from error
        if key is None:
            raise LoginRefused("unknown key")
        return key


def level_of(acr: object) -> int:
    """The number in ``urn:be:fedict:iam:fas:Level450``; 0 when there is none."""
    found = LEVEL.search(str(acr or ""))
    return int(found[1]) if found else 0
