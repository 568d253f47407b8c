"""The OpenID Connect client: authorization code with PKCE S256, state and nonce, towards our own identity.

Every answer is verified: RFC 9207 ``iss``, signature (RS256 only, keys of identity alone), issuer,
audience, expiry, nonce, and that the level reached is not lower than the level asked for.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import extract_compact

from espace.auth import JwksCache, KeySource
from espace.clock import utcnow
from espace.errors import TransientError
from espace_web.settings import CLIENT_ID, WebSettings

SCOPE = "openid profile email address national_number"
LEVEL_PREFIX = "urn:be:fedict:iam:fas:Level"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LEEWAY_SECONDS = 10
LOGOUT_TOKEN_SECONDS = 180


class LoginRefused(Exception):
    """The provider's answer does not hold; the text says why, for the log and never for the page."""


class RefreshRefused(Exception):
    """The provider no longer gives tokens for this session."""


class IdentityAway(Exception):
    """Identity did not answer."""


@dataclass(frozen=True)
class Attempt:
    """One login begun in this browser; kept in an encrypted cookie until the answer comes."""

    state: str
    nonce: str
    verifier: str
    level: int
    destination: str

    @classmethod
    def new(cls, destination: str, level: int = 0) -> "Attempt":
        """Fresh secrets for one login."""
        return cls(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(32),
            level=level,
            destination=destination,
        )


@dataclass(frozen=True)
class Tokens:
    """What the token endpoint gave. ``expires_at`` is a POSIX instant."""

    access: str
    refresh: str
    id_token: str
    expires_at: float

    def to_data(self) -> dict[str, Any]:
        """For the session's encrypted data."""
        return vars(self).copy()


class OpenIdClient:
    """Speaks to identity: by the browser through its public address, directly through the inside one."""

    def __init__(self, settings: WebSettings, http: httpx.Client, keys: KeySource | None = None) -> None:
        self._settings = settings
        self._http = http
        self._inside = f"{settings.identity_url}/identity"
        self._keys = keys or JwksCache(f"{self._inside}/jwks.json")

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends the browser back."""
        return f"{self._settings.public_url}/connexion/retour"

    def authorize_url(self, attempt: Attempt, language: str) -> str:
        """The address that starts a login."""
        challenge = hashlib.sha256(attempt.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": self.redirect_uri,
            "scope": SCOPE,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            "ui_locales": language,
        }
        if attempt.level:
            query |= {"acr_values": f"{LEVEL_PREFIX}{attempt.level}", "max_age": "0"}
        return f"{self._settings.issuer}/authorize?{urlencode(query)}"

    def end_session(self, id_token: str) -> bool:
        """End the provider's own session (OpenID Connect RP-Initiated Logout 1.0), directly.

        The hint is a token, and tokens never reach the browser. False: it did not work out.
        """
        try:
            answer = self._http.post(
                f"{self._inside}/logout", data={"id_token_hint": id_token, "client_id": CLIENT_ID}
            )
        except httpx.HTTPError:
            return False
        return answer.status_code == 200

    def logout_url(self) -> str:
        """Where the provider asks the citizen herself whether to end its session, and comes back to us."""
        query = {
            "client_id": CLIENT_ID,
            "post_logout_redirect_uri": f"{self._settings.public_url}/deconnecte",
            "state": secrets.token_urlsafe(16),
        }
        return f"{self._settings.issuer}/logout?{urlencode(query)}"

    def finish(self, attempt: Attempt, answer: dict[str, str]) -> tuple[Tokens, dict[str, Any]]:
        """Verify the answer to a login and exchange its code: the tokens and the id token's claims.

        Raises:
            LoginRefused: anything that does not hold.
            IdentityAway: no answer.
        """
        if not secrets.compare_digest(answer.get("state", ""), attempt.state):
            raise LoginRefused("state differs")
        if answer.get("iss") != self._settings.issuer:
            raise LoginRefused("iss differs")
        if "error" in answer:
            raise LoginRefused(f"provider said {answer['error'][:60]}")
        form = {
            "grant_type": "authorization_code",
            "code": answer.get("code", ""),
            "redirect_uri": self.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        data = self._token(form)
        if data is None:
            raise LoginRefused("code refused")
        claims = self._verify(data.get("id_token", ""))
        self._check_id_token(claims, attempt)
        return self._tokens(data, data["id_token"]), claims

    def refresh(self, tokens: dict[str, Any]) -> Tokens:
        """New tokens for old.

        Raises:
            RefreshRefused: the family is dead.
            IdentityAway: no answer; the old refresh token may still be good.
        """
        data = self._token({"grant_type": "refresh_token", "refresh_token": tokens["refresh"]})
        if data is None:
            raise RefreshRefused
        data.setdefault("refresh_token", tokens["refresh"])
        return self._tokens(data, data.get("id_token") or tokens["id_token"])

    def userinfo(self, access_token: str) -> dict[str, Any]:
        """What identity tells of the citizen.

        Raises:
            IdentityAway: no usable answer.
        """
        try:
            answer = self._http.get(
                f"{self._inside}/userinfo", headers={"Authorization": f"Bearer {access_token}"}
            )
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise IdentityAway from error
        return found

    def verify_logout_token(self, token: str) -> dict[str, Any]:
        """The claims of a back-channel logout token (OpenID Connect Back-Channel Logout 1.0, 2.6).

        Raises:
            LoginRefused: it is not one, not for us, too old, or carries a nonce.
            IdentityAway: the keys could not be had.
        """
        claims = self._verify(token, typ="logout+jwt")
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

    def _check_id_token(self, claims: dict[str, Any], attempt: Attempt) -> None:
        if not secrets.compare_digest(str(claims.get("nonce", "")), attempt.nonce):
            raise LoginRefused("nonce differs")
        if level_of(claims.get("acr")) < attempt.level:
            raise LoginRefused("level lower than asked")
        if attempt.level and utcnow().timestamp() - float(claims.get("auth_time", 0)) > 600:
            raise LoginRefused("stale auth_time")

    def _verify(self, token: str, typ: str | None = None) -> dict[str, Any]:
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._settings.issuer},
            aud={"essential": True, "value": CLIENT_ID},
            iat={"essential": True},
            exp={"essential": typ is None},
            sub={"essential": typ is None},
        )
        try:
            parsed = jwt.decode(token, self._key_of(token), algorithms=["RS256"])
            if typ is not None and str(parsed.header.get("typ", "")).lower() != typ:
                raise LoginRefused("another type of token")
            if typ is None and str(parsed.header.get("typ", "JWT")).upper() != "JWT":
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

    def _token(self, form: dict[str, str]) -> dict[str, Any] | None:
        try:
            answer = self._http.post(
                f"{self._inside}/token",
                data=form,
                auth=(CLIENT_ID, self._settings.client_secret),
                headers={"Accept": "application/json"},
            )
        except httpx.HTTPError as error:
            raise IdentityAway from error
        if answer.status_code in (400, 401):
            return None
        if answer.status_code != 200:
            raise IdentityAway
        data: dict[str, Any] = answer.json()
        return data

    @staticmethod
    def _tokens(data: dict[str, Any], id_token: str) -> Tokens:
        expires_at = utcnow().timestamp() + float(data.get("expires_in", 0))
        return Tokens(data["access_token"], data["refresh_token"], id_token, expires_at)


def level_of(acr: object) -> int:
    """The number in ``urn:be:fedict:iam:fas:Level450``; 0 when there is none."""
    text = str(acr or "").rpartition("Level")[2]
    return int(text) if text.isdigit() else 0
