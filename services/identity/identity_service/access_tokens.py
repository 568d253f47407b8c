"""Our own access tokens read back, for userinfo: verified as any service does, and not revoked."""

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from espace.auth import InvalidToken, TokenVerifier
from identity_service import families
from identity_service.clients import Client, ClientRegistry
from identity_service.families import Subject
from identity_service.tables import FamilyRow


@dataclass(frozen=True)
class AccessToken:
    """A good access token, as Authlib's endpoints look at it."""

    client: Client
    subject: Subject
    scope: str

    def get_scope(self) -> str:
        """What was granted."""
        return self.scope

    def get_client(self) -> Client:
        """Whose it is."""
        return self.client

    def get_user(self) -> Subject:
        """Whom it speaks of."""
        return self.subject

    def is_expired(self) -> bool:
        """Checked when it was read."""
        return False

    def is_revoked(self) -> bool:
        """Checked when it was read."""
        return False


class AccessTokens:
    """Reads access tokens."""

    def __init__(self, verifier: TokenVerifier, clients: ClientRegistry) -> None:
        self._verifier, self._clients = verifier, clients

    def read(self, session: Session, text: str) -> AccessToken | None:
        """The token, or None when it is not acceptable: form, signature, time, or its family was revoked."""
        try:
            principal = self._verifier.citizen(text)
        except InvalidToken:
            return None
        payload = text.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        client = self._clients.find(principal.client_id)
        try:
            family_id = UUID(claims["family"])
        except (KeyError, ValueError, TypeError, AttributeError):
            return None
        if client is None or not families.is_living(session, family_id):
            return None
        family = session.get_one(FamilyRow, family_id)
        return AccessToken(client, families.subject_of_family(family), str(claims.get("scope", "")))
