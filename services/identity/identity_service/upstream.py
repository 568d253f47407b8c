"""The login source, as its OpenID client: code, PKCE, state, nonce, ``iss``, and the level really reached."""

import time
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

import httpx
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.client import OAuth2Client
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from espace.clock import utcnow
from espace.i18n import LANGUAGES
from identity_service.accounts import Arrival
from identity_service.availability import Availability
from identity_service.means import MEANS_PREFIX, acr, level_of
from identity_service.numbers import national_number
from identity_service.settings import Settings

SCOPE = "openid profile egovnrn citizen"
ALGORITHMS = ["RS256"]
LEEWAY_SECONDS = 10
METADATA_SECONDS = 600


class UpstreamRefused(Exception):
    """The source's answer does not hold; the text says why, for the log and never for the page."""


class UpstreamAway(Exception):
    """The source did not answer."""


class LevelTooLow(Exception):
    """The source reached less than was asked."""


@dataclass(frozen=True)
class Identified:
    """Whom the source identified, and how."""

    arrival: Arrival
    level: int
    amr: tuple[str, ...]
    auth_time: datetime


class Upstream:
    """One login source."""

    def __init__(self, settings: Settings, transport: httpx.BaseTransport | None = None) -> None:
        self._settings = settings
        self._http = httpx.Client(
            timeout=httpx.Timeout(5.0, connect=2.0),
            transport=transport,
            trust_env=False,
            event_hooks={"request": [self._go_inside] if settings.upstream_inside_url else []},
        )
        self.availability = Availability(settings.upstream_status_url, self._http)
        self._lock = Lock()
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._asked_at = 0.0

    def authorize_url(self, means_id: str, level: int, *, state: str, nonce: str, code_verifier: str) -> str:
        """Where the browser goes.

        Raises:
            UpstreamAway, UpstreamRefused: the source cannot be used now.
        """
        url, _state = self._client().create_authorization_url(
            self._endpoint("authorization_endpoint"),
            state=state,
            nonce=nonce,
            code_verifier=code_verifier,
            acr_values=f"{acr(level)} {MEANS_PREFIX}{means_id}",
            prompt="login",
            max_age="0",  # by which a standard source says when she logged in (Core 1.0, 3.1.2.1)
        )
        return str(url)

    def finish(
        self, answer: dict[str, str], *, nonce: str, code_verifier: str, level: int, sent_at: datetime
    ) -> Identified:
        """Exchange the code and check everything that came.

        Raises:
            UpstreamAway, UpstreamRefused, LevelTooLow
        """
        self.check_issuer(answer)
        access_token, id_token = self._exchange(answer.get("code", ""), code_verifier)
        claims = self._verified(id_token, essential=("exp", "iat", "sub", "nonce", "acr", "auth_time"))
        if claims["nonce"] != nonce:
            raise UpstreamRefused("nonce differs")
        if claims.get("azp", self._settings.upstream_client_id) != self._settings.upstream_client_id:
            raise UpstreamRefused("azp differs")
        auth_time = _instant(claims["auth_time"])
        if auth_time.timestamp() < sent_at.timestamp() - LEEWAY_SECONDS:
            raise UpstreamRefused("stale auth_time")
        if level_of(claims["acr"]) < level:
            raise LevelTooLow
        info = self._userinfo(access_token)
        if info.get("sub") != claims["sub"]:
            raise UpstreamRefused("userinfo of somebody else")
        amr = claims.get("amr", [])
        return Identified(
            arrival=self._arrival(info),
            level=level_of(claims["acr"]),
            amr=tuple(str(part) for part in amr) if isinstance(amr, list) else (),
            auth_time=min(auth_time, utcnow()),  # a clock ahead of ours would make an old login look new
        )

    def check_issuer(self, answer: dict[str, str]) -> None:
        """Refuse an answer of another source (mix-up; RFC 9207, 2.4). One that never says who it is may.

        Raises:
            UpstreamRefused: it does not name the source we asked.
            UpstreamAway: what that source announces is not known now.
        """
        self._read()
        named = "iss" in answer or self._metadata.get("authorization_response_iss_parameter_supported")
        if named and answer.get("iss") != self._settings.upstream_issuer:
            raise UpstreamRefused("iss differs")

    def _arrival(self, info: dict[str, Any]) -> Arrival:
        number = info.get("egovNRN") if self._settings.upstream_trusted else None
        if number is not None:
            number = national_number(str(number))
            if number is None:
                raise UpstreamRefused("not a national number")
        language = str(info.get("prefLanguage", "")).partition("-")[0].lower()
        return Arrival(
            issuer=self._settings.upstream_issuer,
            subject=str(info["sub"]),
            given_name=str(info.get("givenName", "")),
            family_name=str(info.get("surname", "")),
            email=str(info["mail"]) if info.get("mail") else None,
            language=language if language in LANGUAGES else None,
            national_number=number,
        )

    def _exchange(self, code: str, code_verifier: str) -> tuple[str, str]:
        settings = self._settings
        try:
            token = self._client().fetch_token(
                self._endpoint("token_endpoint"),
                code=code,
                code_verifier=code_verifier,
                auth=httpx.BasicAuth(settings.upstream_client_id, settings.upstream_client_secret),
            )
            return token["access_token"], token["id_token"]
        except OAuth2Error as error:
            raise UpstreamRefused(f"token endpoint said {error.error}") from error
        except (httpx.HTTPError, ValueError) as error:
            raise UpstreamAway("token endpoint") from error
        except KeyError as error:
            raise UpstreamRefused("no id token") from error

    def _userinfo(self, access_token: str) -> dict[str, Any]:
        try:
            answer = self._http.get(
                self._endpoint("userinfo_endpoint"), headers={"Authorization": f"Bearer {access_token}"}
            )
            answer.raise_for_status()
            if answer.headers.get("content-type", "").startswith("application/jwt"):
                return self._verified(answer.text, essential=("sub",))
            info = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise UpstreamAway("userinfo endpoint") from error
        if not isinstance(info, dict):
            raise UpstreamRefused("userinfo is no object")
        return info

    def _verified(self, token: str, essential: tuple[str, ...]) -> dict[str, Any]:
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._settings.upstream_issuer},
            aud={"essential": True, "value": self._settings.upstream_client_id},
        )
        try:
            kid = jws.extract_compact(token.encode()).headers().get("kid")
            parsed = jwt.decode(token, self._keys_for(kid), algorithms=ALGORITHMS)
            registry.validate(parsed.claims)
        except (JoseError, ValueError, TypeError) as error:
            raise UpstreamRefused(f"token refused: {type(error).__name__}") from error
        missing = [name for name in essential if parsed.claims.get(name) in (None, "")]
        if missing:
            raise UpstreamRefused(f"token lacks {missing[0]}")
        return dict(parsed.claims)

    def _keys_for(self, kid: object) -> KeySet:
        """The source's keys; read again when the key is not among them (it was rotated)."""
        self._read()
        assert self._keys is not None
        if not isinstance(kid, str) or kid not in {key.kid for key in self._keys.keys}:
            self._read(again=True)
        return self._keys

    def _endpoint(self, name: str) -> str:
        self._read()
        address = self._metadata.get(name)
        if not isinstance(address, str):
            raise UpstreamRefused(f"discovery has no {name}")
        return address

    def _read(self, *, again: bool = False) -> None:
        with self._lock:
            age = time.monotonic() - self._asked_at
            if self._keys is not None and age < (1.0 if again else METADATA_SECONDS):
                return
            self._asked_at = time.monotonic()
            issuer = self._settings.upstream_issuer
            try:
                metadata = (
                    self._http.get(f"{issuer}/.well-known/openid-configuration").raise_for_status().json()
                )
                if metadata["issuer"] != issuer:
                    raise UpstreamRefused("discovery of another issuer")
                keys = KeySet.import_key_set(self._http.get(metadata["jwks_uri"]).raise_for_status().json())
            except (httpx.HTTPError, ValueError, KeyError, TypeError, JoseError) as error:
                if self._keys is not None:
                    return  # what we have may still be good
                raise UpstreamAway("discovery") from error
            self._metadata, self._keys = metadata, keys

    def _go_inside(self, request: httpx.Request) -> None:
        """Lead a call for the issuer's address to where it is reached from here; the Host stays its own."""
        issuer, inside = (
            httpx.URL(self._settings.upstream_issuer),
            httpx.URL(self._settings.upstream_inside_url),
        )
        if (request.url.scheme, request.url.netloc) == (issuer.scheme, issuer.netloc):
            request.url = request.url.copy_with(scheme=inside.scheme, netloc=inside.netloc)

    def _client(self) -> OAuth2Client:
        return OAuth2Client(
            self._http,
            client_id=self._settings.upstream_client_id,
            redirect_uri=self._settings.callback_url,
            scope=SCOPE,
            code_challenge_method="S256",
        )


def _instant(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UpstreamRefused("auth_time is no number")
    return datetime.fromtimestamp(value, tz=utcnow().tzinfo)
