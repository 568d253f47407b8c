"""The access token of a session, refreshed by one request at a time."""

from espace.clock import utcnow
from espace_web.oidc import OpenIdClient, RefreshRefused
from espace_web.sessions import Session, SessionOver, SessionStore

MARGIN_SECONDS = 20


class TokenKeeper:
    """Hands out a session's access token.

    Two tabs may find it stale at once; a refresh token serves once and its reuse would end the family, so
    the session's row is locked during the refresh and whoever comes second finds the new token.
    """

    def __init__(self, store: SessionStore, client: OpenIdClient) -> None:
        self._store = store
        self._client = client

    def access_token(self, session: Session) -> str:
        """A token good for the next seconds.

        Raises:
            SessionOver: identity gives none any more; the session is ended.
            IdentityAway: identity does not answer.
        """
        if _stale(session):
            try:
                with self._store.locked(session) as data:
                    session.data = data
                    if _stale(session):
                        data["tokens"] = self._client.refresh(data["tokens"]).to_data()
            except RefreshRefused as error:
                self._store.end(session.token)
                raise SessionOver from error
        token: str = session.data["tokens"]["access"]
        return token


def _stale(session: Session) -> bool:
    return bool(session.data["tokens"]["expires_at"] - MARGIN_SECONDS < utcnow().timestamp())
