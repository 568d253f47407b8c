"""RP-initiated logout: ends the session the hint names, and this browser's."""

from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oidc.rpinitiated import EndSessionEndpoint
from flask import request
from joserfc.jwk import KeySet

from espace.http import transaction
from espace.telemetry import get_logger
from identity_service import sessions
from identity_service.clients import ClientRegistry
from identity_service.signing import ALGORITHM, SigningKeys
from identity_service.tables import SessionRow

log = get_logger()


class Logout(EndSessionEndpoint):  # type: ignore[misc]
    """Authlib's endpoint over our sessions. A hint may be expired, but must be an ID token of ours."""

    def __init__(self, issuer: str, keys: SigningKeys, clients: ClientRegistry) -> None:
        super().__init__()
        self._issuer, self._keys, self._clients = issuer, keys, clients

    def get_server_jwks(self) -> KeySet:
        """All keys: the hint may be older than the last rotation."""
        return self._keys.all

    def get_algorithms(self) -> list[str]:
        """Ours."""
        return [ALGORITHM]

    def _validate_id_token_hint(self, id_token_hint: str) -> dict[str, Any]:
        claims: dict[str, Any] = super()._validate_id_token_hint(id_token_hint)
        if (
            claims.get("iss") != self._issuer
            or not claims.get("sid")
            or self._clients.find(claims["aud"]) is None
        ):
            raise InvalidRequestError("The id_token_hint is not an ID token of this provider.")
        return claims

    def end_session(self, end_session_request: Any) -> None:
        """End what the hint names, and what the browser has unless it is another citizen's."""
        claims = end_session_request.id_token_claims or {}
        with transaction() as unit:
            named = unit.session.get(SessionRow, UUID(claims["sid"])) if claims else None
            here = sessions.find(unit.session, request.cookies.get(sessions.COOKIE))
            ended = []
            if named is not None and str(named.citizen_id) == claims["sub"]:
                ended.append(named)
            if here is not None and (not claims or str(here.citizen_id) == claims["sub"]):
                ended.append(here)
            for row in ended:
                sessions.end(unit.session, self._clients, row, "logout")
            if ended:
                log.info("logout.succeeded", citizen_id=str(ended[0].citizen_id))
