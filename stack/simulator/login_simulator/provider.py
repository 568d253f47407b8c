"""The simulator's OpenID provider: Authlib's grants over memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector
from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core import OpenIDCode, UserInfo, UserInfoEndpoint
from authlib.oidc.rpinitiated import EndSessionEndpoint
from flask import Flask, g
from joserfc.jwk import KeySet, RSAKey

from login_simulator.citizens import Citizen
from login_simulator.clock import epoch
from login_simulator.means import LEVEL_PREFIX, Means
from login_simulator.settings import Settings

SCOPES = ("openid", "profile", "egovnrn", "citizen")
CODE_SECONDS = 60
TOKEN_SECONDS = 300


class Client:
    """The one client; exact addresses, a secret, codes only."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.client_id = settings.client_id
        self.client_metadata = {
            "post_logout_redirect_uris": list(settings.post_logout_redirect_uris),
            "userinfo_signed_response_alg": "RS256",
        }

    def get_client_id(self) -> str:
        """Its name."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """There is none: the address must be said."""

    def get_allowed_scope(self, scope: str | None) -> str:
        """What of the wish is granted."""
        return " ".join(part for part in (scope or "").split() if part in SCOPES)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Exactly one of the registered addresses."""
        return redirect_uri in self._settings.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """The secret."""
        return client_secret == self._settings.client_secret

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """HTTP Basic or the form."""
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        """Codes only."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Codes only."""
        return grant_type == "authorization_code"


@dataclass
class Code:
    """An authorization code in waiting, or the token it became (same facts)."""

    client: Client
    citizen: Citizen
    means: Means
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    code_challenge_method: str
    auth_time: int = field(default_factory=epoch)

    def get_redirect_uri(self) -> str:
        """Where the code went."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What was granted."""
        return self.scope

    def get_nonce(self) -> str | None:
        """The client's nonce."""
        return self.nonce

    def get_auth_time(self) -> int:
        """When the citizen confirmed."""
        return self.auth_time

    def get_acr(self) -> str:
        """The level that was really reached."""
        return f"{LEVEL_PREFIX}{self.means.level}"

    def get_amr(self) -> list[str]:
        """Means and level, as the federal login says them."""
        return [self.means.id, self.get_acr()]

    def get_client(self) -> Client:
        """Whose token it is."""
        return self.client

    def get_user(self) -> Citizen:
        """Whom it speaks of."""
        return self.citizen

    def is_expired(self) -> bool:
        """Access tokens live five minutes."""
        return epoch() > self.auth_time + TOKEN_SECONDS

    def is_revoked(self) -> bool:
        """Never; a restart forgets them."""
        return False


@dataclass
class Memory:
    """Codes and tokens that were handed out."""

    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, Code] = field(default_factory=dict)

    def forget_old(self) -> None:
        """Drop what has expired, so that a long run stays small."""
        for kept in (self.codes, self.tokens):
            for name in [name for name, code in list(kept.items()) if code.is_expired()]:
                kept.pop(name, None)


class Pkce(CodeChallenge):  # type: ignore[misc]
    """S256, always."""

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse a request without a challenge, or with a plain one."""
        super().validate_code_challenge(grant, redirect_uri)
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A 'code_challenge' of method S256 is required.")


def create_provider(app: Flask, settings: Settings) -> AuthorizationServer:
    """Wire the provider; the page that confirms puts the means used into ``flask.g.means``."""
    keys = _keys()
    memory = Memory()
    client = Client(settings)

    class CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

        def save_authorization_code(self, code: str, request: Any) -> None:
            memory.forget_old()
            data = request.payload.data
            memory.codes[code] = Code(
                client=request.client,
                citizen=request.user,
                means=g.means,
                redirect_uri=request.payload.redirect_uri,
                scope=request.scope,
                nonce=data.get("nonce"),
                code_challenge=data["code_challenge"],
                code_challenge_method=data["code_challenge_method"],
            )

        def query_authorization_code(self, code: str, _client: Client) -> Code | None:
            found = memory.codes.pop(code, None)
            return found if found and epoch() <= found.auth_time + CODE_SECONDS else None

        def delete_authorization_code(self, authorization_code: Code) -> None:
            """Taken already, when it was asked for."""

        def authenticate_user(self, authorization_code: Code) -> Citizen:
            return authorization_code.citizen

    class Openid(OpenIDCode):  # type: ignore[misc]
        def exists_nonce(self, nonce: str, _request: Any) -> bool:
            return any(code.nonce == nonce for code in memory.codes.values())

        def resolve_client_private_key(self, _client: Client) -> KeySet:
            return keys

        def get_client_claims(self, client: Client) -> dict[str, Any]:
            return {"iss": settings.public_url, "aud": client.client_id, "exp": epoch() + TOKEN_SECONDS}

        def generate_user_info(self, user: Citizen, _scope: str) -> UserInfo:
            return UserInfo(sub=user.subject)

    class Tokens(BearerTokenValidator):  # type: ignore[misc]
        def authenticate_token(self, token_string: str) -> Code | None:
            return memory.tokens.get(token_string)

    class Userinfo(UserInfoEndpoint):  # type: ignore[misc]
        def get_issuer(self) -> str:
            return settings.public_url

        def resolve_private_key(self) -> KeySet:
            return keys

        def generate_user_info(self, user: Citizen, scope: str) -> UserInfo:
            token = self.resource_protector.acquire_token("openid")
            return UserInfo(**claims_of(user, token, scope))

    class Logout(EndSessionEndpoint):  # type: ignore[misc]
        def get_server_jwks(self) -> KeySet:
            return keys

        def get_algorithms(self) -> list[str]:
            return ["RS256"]

        def end_session(self, _end_session_request: Any) -> None:
            """There is no session here: each login asks the means again."""

    class Issuer(IssuerParameter):  # type: ignore[misc]
        def get_issuer(self) -> str:
            return settings.public_url

    def save_token(token: Mapping[str, Any], request: Any) -> None:
        memory.tokens[token["access_token"]] = request.authorization_code

    server = AuthorizationServer()
    app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {"authorization_code": TOKEN_SECONDS}
    server.init_app(app, lambda name: client if name == client.client_id else None, save_token)
    server.register_grant(CodeGrant, [Pkce(required=True), Openid(require_nonce=True)])
    protector = ResourceProtector()
    protector.register_token_validator(Tokens())
    server.register_endpoint(Userinfo(resource_protector=protector))
    server.register_endpoint(Logout)
    server.register_extension(lambda provider: Issuer()(provider))
    app.extensions["simulator.jwks"] = keys.as_dict(private=False)
    return server


@cache
def _keys() -> KeySet:
    """One key for as long as the process lives."""
    return KeySet([RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)])


def claims_of(citizen: Citizen, token: Code, scope: str) -> dict[str, Any]:
    """The userinfo as the federal login names it; the number only when its scope was granted."""
    claims: dict[str, Any] = {
        "sub": citizen.subject,
        "surname": citizen.family_name,
        "givenName": citizen.given_name,
        "mail": citizen.email,
        "prefLanguage": citizen.language,
        "assurance_level": token.means.level,
        "amr": token.get_amr(),
    }
    if "egovnrn" in scope.split():
        claims["egovNRN"] = citizen.national_number
    return claims


def discovery(settings: Settings) -> dict[str, Any]:
    """The provider's own description."""
    base = settings.public_url
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "jwks_uri": f"{base}/jwks.json",
        "userinfo_endpoint": f"{base}/userinfo",
        "end_session_endpoint": f"{base}/logout",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "userinfo_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": list(SCOPES),
        "acr_values_supported": [f"{LEVEL_PREFIX}{level}" for level in (400, 450, 500)],
        "authorization_response_iss_parameter_supported": True,
    }
