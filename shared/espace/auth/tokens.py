"""Access tokens (RFC 9068) verified with the algorithm, keys, issuer and audience we expect, not theirs."""

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry

from espace.auth.keys import KeySource
from espace.auth.principal import Principal, level_of
from espace.clock import utcnow

ALGORITHM = "RS256"
CITIZENS_AUDIENCE = "espace"
LEEWAY_SECONDS = 5
MAX_LENGTH = 8192
REMEMBERED = 1024
# Keys that a token brings or points to are never looked at; a token of ours has no such header.
FOREIGN_KEYS = frozenset({"jwk", "jku", "x5c", "x5u"})
_REGISTRY = JWSRegistry(algorithms=[ALGORITHM])


class InvalidToken(Exception):
    """A token that is not accepted; the text says why, for the log, not for the caller."""


class TokenVerifier:
    """Verifies access tokens of one issuer.

    Args:
        issuer: the exact ``iss``.
        keys: where public keys are found; never in the token.
    """

    def __init__(self, issuer: str, keys: KeySource, *, clock: Callable[[], datetime] = utcnow) -> None:
        self._issuer, self._keys, self._clock = issuer, keys, clock
        self._seen: OrderedDict[str, tuple[str, RSAKey, dict[str, Any]]] = OrderedDict()

    def citizen(self, token: str) -> Principal:
        """The citizen of a token for the citizens' audience.

        Raises:
            InvalidToken: it is not acceptable here and now.
            TransientError: it cannot be verified now.
        """
        claims = self._claims(token, CITIZENS_AUDIENCE)
        acr, amr = claims.get("acr"), claims.get("amr", [])
        if not isinstance(acr, str) or not level_of(acr):
            raise InvalidToken("acr")
        if not isinstance(amr, list) or not all(isinstance(method, str) for method in amr):
            raise InvalidToken("amr")
        try:
            citizen_id = UUID(claims["sub"])
        except ValueError:
            raise InvalidToken("sub") from None
        return Principal(
            citizen_id=citizen_id,
            client_id=_text(claims, "client_id"),
            acr=acr,
            level=level_of(acr),
            amr=tuple(amr),
            language=claims.get("locale") if isinstance(claims.get("locale"), str) else None,
            session_id=claims.get("sid") if isinstance(claims.get("sid"), str) else None,
        )

    def service(self, token: str, audience: str) -> Principal:
        """The service of a token that was issued to it for calls to ``audience``.

        Raises:
            InvalidToken: it is not acceptable here and now.
            TransientError: it cannot be verified now.
        """
        if audience == CITIZENS_AUDIENCE:
            raise ValueError("a service's audience is its own")
        claims = self._claims(token, audience)
        client_id = _text(claims, "client_id")
        if claims["sub"] != client_id:
            raise InvalidToken("sub")
        return Principal(citizen_id=None, client_id=client_id)

    def _claims(self, token: str, audience: str) -> Mapping[str, Any]:
        claims = self._signed(token)
        now = self._clock().timestamp()
        if claims.get("iss") != self._issuer:
            raise InvalidToken("iss")
        if claims.get("aud") not in (audience, [audience]):
            raise InvalidToken("aud")
        if now >= _instant(claims, "exp"):
            raise InvalidToken("exp")
        if _instant(claims, "iat") > now + LEEWAY_SECONDS:
            raise InvalidToken("iat")
        if "nbf" in claims and _instant(claims, "nbf") > now + LEEWAY_SECONDS:
            raise InvalidToken("nbf")
        _text(claims, "sub")
        return claims

    def _signed(self, token: str) -> dict[str, Any]:
        """The claims of a token whose signature is good.

        A citizen's client shows the same token for minutes; a signature that was good with a key is not
        computed again while that key is in force. Everything else is checked each time.
        """
        if len(token) > MAX_LENGTH or not token.isascii():
            raise InvalidToken("length")
        seen = self._seen.get(token)
        if seen is not None and self._keys.find(seen[0]) is seen[1]:
            return seen[2]
        kid, key, claims = self._verified(token)
        self._seen[token] = kid, key, claims
        while len(self._seen) > REMEMBERED:
            # Threads may meet here: whoever comes second finds nothing left to drop.
            with suppress(KeyError):
                self._seen.popitem(last=False)
        return claims

    def _verified(self, token: str) -> tuple[str, RSAKey, dict[str, Any]]:
        try:
            signed = jws.extract_compact(token.encode())
            header = signed.headers()
            if header.get("alg") != ALGORITHM:
                raise InvalidToken("alg")
            if str(header.get("typ", "")).lower() not in ("at+jwt", "application/at+jwt"):
                raise InvalidToken("typ")
            if FOREIGN_KEYS & header.keys() or "crit" in header:
                raise InvalidToken("header")
            kid = str(header.get("kid", ""))
            key = self._keys.find(kid)
            if key is None:
                raise InvalidToken("kid")
            if not jws.validate_compact(signed, key, registry=_REGISTRY):
                raise InvalidToken("signature")
            claims = json.loads(signed.payload)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise InvalidToken(f"form: {type(error).__name__}") from None
        if not isinstance(claims, dict):
            raise InvalidToken("claims")
        return kid, key, claims


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidToken(name)
    return value


def _instant(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InvalidToken(name)
    return float(value)
