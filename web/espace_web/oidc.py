"""The OpenID Connect client: authorization code with PKCE S256, state and nonce, towards our own identity.

Every answer is verified: RFC 9207 ``iss``, the id token, its nonce, that the level reached is not lower than
the level asked for, and that a stronger login was made for this attempt.
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from espace.auth import JwksCache, KeySource
from espace.clock import utcnow
from espace.telemetry import cause_headers
from espace_web.id_tokens import LEEWAY_SECONDS, IdentityAway, LoginRefused, TokenVerifier, level_of
from espace_web.settings import CLIENT_ID, WebSettings

SCOPE = "openid profile email address national_number"
LEVEL_PREFIX = "urn:be:fedict:iam:fas:Level"


class RefreshRefused(Exception):
    """The provider no longer gives tokens for this session."""


@dataclass(frozen=True)
class Attempt:
    """One login begun in this browser; kept in an encrypted cookie until the answer comes.

    ``begun`` is a POSIX instant.
    """

    state: str
    nonce: str
    verifier: str
    level: int
    destination: str
    begun: float

    @classmethod
    def new(cls, destination: str, level: int = 0) -> "Attempt":
        """Fresh secrets for one login."""
        return cls(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(32),
            level=level,
            destination=destination,
            begun=utcnow().timestamp(),
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
        self._verifier = TokenVerifier(settings.issuer, keys or JwksCache(f"{self._inside}/jwks.json"))

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
                f"{self._inside}/logout",
                data={"id_token_hint": id_token, "client_id": CLIENT_ID},
                headers=cause_headers(),
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
        claims = self._verifier.id_token(data.get("id_token", ""))
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
                f"{self._inside}/userinfo",
                headers={"Authorization": f"Bearer {access_token}", **cause_headers()},
            )
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise IdentityAway from error
        return found

    def verify_logout_token(self, token: str) -> dict[str, Any]:
        """The claims of a logout token; see :meth:`TokenVerifier.logout_token`."""
        return self._verifier.logout_token(token)

    def _check_id_token(self, claims: dict[str, Any], attempt: Attempt) -> None:
        if not secrets.compare_digest(str(claims.get("nonce", "")), attempt.nonce):
            raise LoginRefused("nonce differs")
        if level_of(claims.get("acr")) < attempt.level:
            raise LoginRefused("level lower than asked")
        auth_time = claims.get("auth_time")
        if attempt.level and not (
            isinstance(auth_time, int | float) and auth_time >= attempt.begun - LEEWAY_SECONDS
        ):
            raise LoginRefused("not authenticated for this attempt")

    def _token(self, form: dict[str, str]) -> dict[str, Any] | None:
        try:
            answer = self._http.post(
                f"{self._inside}/token",
                data=form,
                auth=(CLIENT_ID, self._settings.client_secret),
                headers={"Accept": "application/json", **cause_headers()},
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
