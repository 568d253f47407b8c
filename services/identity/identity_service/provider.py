"""The OpenID provider: Authlib's grants and endpoints, and what they leave to us.

PKCE with S256 for every client, exact addresses, codes and refresh tokens that work once, tokens that speak
of a session (``sid``), a family and a language (``locale``), and client credentials for one named audience
(RFC 8707).
"""

from collections.abc import Mapping
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import (
    AuthorizationCodeGrant,
    ClientCredentialsGrant,
    RefreshTokenGrant,
)
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import OpenIDCode, UserInfo, UserInfoEndpoint
from flask import g, request
from joserfc.jwk import KeySet

from espace.auth.tokens import CITIZENS_AUDIENCE
from espace.clock import utcnow
from espace.http import transaction
from espace.i18n import LANGUAGES
from espace.telemetry import get_logger
from identity_service import families, secret
from identity_service.access_tokens import AccessToken, AccessTokens
from identity_service.clients import Client, ClientRegistry
from identity_service.end_session import Logout
from identity_service.families import CodeGrantFacts, RefreshGrantFacts, Subject
from identity_service.signing import ALGORITHM, SigningKeys
from identity_service.userinfo import Profiles

ACCESS_TOKEN_SECONDS = 300
ID_TOKEN_SECONDS = 300
AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")
log = get_logger()


class InvalidTarget(OAuth2Error):  # type: ignore[misc]
    """The ``resource`` is missing or not for this client (RFC 8707, 2)."""

    error = "invalid_target"
    status_code = 400


class Pkce(CodeChallenge):  # type: ignore[misc]
    """S256 and nothing else, for confidential clients too."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse a request without a challenge or without its method (which would mean ``plain``)."""
        super().validate_code_challenge(grant, redirect_uri)
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A code_challenge of method S256 is required.")


class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
    """Codes, kept as hashes, that work once and for a minute."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    @staticmethod
    def validate_authorization_redirect_uri(request: Any, client: Client) -> str:
        """Exactly a registered address; it is not repeated in the answer."""
        address = request.payload.redirect_uri
        if not address or not client.check_redirect_uri(address):
            raise InvalidRequestError("The redirect_uri is not one of the client's.")
        return str(address)

    def save_authorization_code(self, code: str, request: Any) -> None:
        """Keep it."""
        data = request.payload.data
        with transaction() as unit:
            families.save_code(
                unit.session,
                code,
                client_id=request.client.client_id,
                redirect_uri=request.payload.redirect_uri,
                scope=request.scope,
                nonce=data.get("nonce"),
                code_challenge=data["code_challenge"],
                login=g.identity_session,
            )

    def query_authorization_code(self, code: str, client: Client) -> CodeGrantFacts | None:
        """Take it, atomically, before anything else is looked at."""
        with transaction() as unit:
            return families.take_code(unit.session, code, client.client_id)

    def delete_authorization_code(self, authorization_code: CodeGrantFacts) -> None:
        """Taken already; the row stays to notice a second use."""

    def authenticate_user(self, authorization_code: CodeGrantFacts) -> Subject:
        """Whom it speaks of."""
        return authorization_code.subject


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]
    """Rotation: each refresh token works once and brings its successor."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshGrantFacts | None:
        """Take it, atomically."""
        with transaction() as unit:
            return families.take_refresh(unit.session, refresh_token, self.request.client.client_id)

    def authenticate_user(self, refresh_token: RefreshGrantFacts) -> Subject:
        """Whom it speaks of."""
        return refresh_token.subject

    def revoke_old_credential(self, refresh_token: RefreshGrantFacts) -> None:
        """Used up already."""


class ServiceGrant(ClientCredentialsGrant):  # type: ignore[misc]
    """A service in its own name, towards one other service."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

    def validate_token_request(self) -> None:
        """Exactly one ``resource``, on the client's list."""
        super().validate_token_request()
        wanted = self.request.payload.datalist.get("resource", [])
        if len(wanted) != 1 or wanted[0] not in self.request.client.audiences:
            raise InvalidTarget("Name one resource that this client may call.")


class Issuer(IssuerParameter):  # type: ignore[misc]
    """``iss`` in every authorization response (RFC 9207)."""

    issuer = ""

    def get_issuer(self) -> str:
        """Ours."""
        return self.issuer


class Provider(AuthorizationServer):  # type: ignore[misc]
    """The wired provider."""

    def __init__(
        self,
        issuer: str,
        keys: SigningKeys,
        clients: ClientRegistry,
        profiles: Profiles,
        tokens: AccessTokens,
    ) -> None:
        super().__init__()
        self.issuer = issuer
        self._clients = clients
        self.register_token_generator("default", _generator(issuer, keys, profiles))
        self.register_grant(CodeGrant, [Pkce(required=True), _openid(issuer, keys)])
        self.register_grant(RefreshGrant)
        self.register_grant(ServiceGrant)
        protector = ResourceProtector()
        protector.register_token_validator(_bearer(tokens))
        self.register_endpoint(_userinfo(issuer, profiles, protector))
        self.register_endpoint(Logout(issuer, keys, clients))
        extension = type("OurIssuer", (Issuer,), {"issuer": issuer})
        self.register_extension(lambda server: extension()(server))

    def query_client(self, client_id: str) -> Client | None:
        """The client of that id."""
        return self._clients.find(client_id)

    def save_token(self, token: Mapping[str, Any], request: Any) -> None:
        """Keep the refresh token; access tokens need no keeping."""
        grant = request.payload.grant_type
        if request.user is not None and "refresh_token" in token:
            with transaction() as unit:
                families.add_refresh(unit.session, request.user.family_id, token["refresh_token"])
        log.info("token.issued", client_id=request.client.client_id, grant=grant)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens to Flask's signals here."""


def _generator(issuer: str, keys: SigningKeys, profiles: Profiles) -> JWTBearerTokenGenerator:
    class Generator(JWTBearerTokenGenerator):  # type: ignore[misc]
        def get_jwks(self) -> KeySet:
            return keys.signing

        def get_audiences(self, _client: Client, user: Subject | None, _scope: str) -> str:
            return CITIZENS_AUDIENCE if user else request.form["resource"]

        def get_acr(self, user: Subject | None) -> str | None:
            return user.acr if user else None

        def get_auth_time(self, user: Subject | None) -> int | None:
            return user.auth_time if user else None

        def get_amr(self, user: Subject | None) -> list[str] | None:
            return list(user.amr) if user else None

        def get_extra_claims(
            self, _client: Client, _grant_type: str, user: Subject | None, _scope: str
        ) -> dict[str, str]:
            if user is None:
                return {}
            with transaction() as unit:
                language = profiles.language(unit.session, user.citizen_id)
            claims = {"sid": str(user.session_id), "family": str(user.family_id)}
            return {**claims, "locale": language} if language else claims

    def refresh_token(**_facts: Any) -> str:
        return secret.fresh()

    return Generator(
        issuer,
        ALGORITHM,
        refresh_token_generator=refresh_token,
        expires_generator=lambda _client, _grant: ACCESS_TOKEN_SECONDS,
    )


def _openid(issuer: str, keys: SigningKeys) -> OpenIDCode:
    class Openid(OpenIDCode):  # type: ignore[misc]
        def exists_nonce(self, nonce: str, request: Any) -> bool:
            with transaction() as unit:
                return families.nonce_known(unit.session, request.payload.client_id, nonce)

        def resolve_client_private_key(self, _client: Client) -> KeySet:
            return keys.signing

        def get_client_claims(self, client: Client) -> dict[str, Any]:
            exp = int(utcnow().timestamp()) + ID_TOKEN_SECONDS
            return {"iss": issuer, "aud": client.client_id, "exp": exp}

        def generate_user_info(self, user: Subject, _scope: str) -> UserInfo:
            return UserInfo(sub=str(user.citizen_id), sid=str(user.session_id))

    return Openid()


def _bearer(tokens: AccessTokens) -> BearerTokenValidator:
    class Bearer(BearerTokenValidator):  # type: ignore[misc]
        def authenticate_token(self, token_string: str) -> AccessToken | None:
            with transaction() as unit:
                return tokens.read(unit.session, token_string)

    return Bearer()


def _userinfo(issuer: str, profiles: Profiles, protector: ResourceProtector) -> UserInfoEndpoint:
    class Userinfo(UserInfoEndpoint):  # type: ignore[misc]
        def get_issuer(self) -> str:
            return issuer

        def generate_user_info(self, user: Subject, scope: str) -> UserInfo:
            with transaction() as unit:
                return UserInfo(**profiles.userinfo(unit.session, user.citizen_id, scope))

    return Userinfo(resource_protector=protector)


def discovery(issuer: str) -> dict[str, Any]:
    """Our own description (OpenID Connect Discovery 1.0, RFC 8414)."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks.json",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "end_session_endpoint": f"{issuer}/logout",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "scopes_supported": ["openid", "profile", "email", "address", "national_number", "offline_access"],
        "claims_supported": [
            *("sub", "sid", "acr", "amr", "auth_time", "name", "given_name", "family_name", "locale"),
            *("email", "birthdate", "address", "commune_ins", "national_number"),
        ],
        "acr_values_supported": [f"urn:be:fedict:iam:fas:Level{level}" for level in (400, 450, 500)],
        "ui_locales_supported": list(LANGUAGES),
        "prompt_values_supported": ["none", "login"],
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }
