"""Back-channel logout (OpenID Connect Back-Channel Logout 1.0): rows that a worker delivers.

Delivered at least once; a try that failed is repeated with a new token (new ``jti``) after a growing pause,
until the session would have ended anyway.
"""

from datetime import timedelta
from uuid import uuid4

import httpx
from joserfc import jwt
from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from espace.clock import utcnow
from espace.db import Database
from espace.telemetry import get_logger
from espace.telemetry.metrics import LOOP_BACKLOG, LOOP_OLDEST_AGE
from identity_service.clients import Client, ClientRegistry
from identity_service.signing import ALGORITHM, SigningKeys
from identity_service.tables import FamilyRow, LogoutRow, SessionRow

EVENT = "http://schemas.openid.net/event/backchannel-logout"
TOKEN_SECONDS = 120
GIVE_UP_AFTER = timedelta(hours=12)
LONGEST_PAUSE = timedelta(minutes=5)
log = get_logger()

# Made once: a worker asks several times a second, mostly for nothing.
_DUE = (
    select(LogoutRow)
    .where(LogoutRow.ended_at.is_(None), LogoutRow.next_attempt_at <= bindparam("now"))
    .order_by(LogoutRow.next_attempt_at)
    .limit(1)
    .with_for_update(skip_locked=True)
)


def queue(session: Session, clients: ClientRegistry, row: SessionRow) -> None:
    """Note a delivery for each client that has tokens of this session and asked to be told."""
    now = utcnow()
    involved = session.scalars(select(FamilyRow.client_id).where(FamilyRow.session_id == row.id).distinct())
    for client_id in involved.all():
        client = clients.find(client_id)
        if client is not None and client.backchannel_logout_uri:
            session.add(
                LogoutRow(
                    client_id=client_id,
                    session_id=row.id,
                    citizen_id=row.citizen_id,
                    created_at=now,
                    attempts=0,
                    next_attempt_at=now,
                )
            )


def report_waiting(session: Session) -> None:
    """Tell how many deliveries wait, and for how long."""
    age = func.extract("epoch", func.clock_timestamp() - func.min(LogoutRow.created_at))
    waiting, oldest = session.execute(select(func.count(), age).where(LogoutRow.ended_at.is_(None))).one()
    LOOP_BACKLOG.labels("logout").set(waiting)
    LOOP_OLDEST_AGE.labels("logout").set(oldest or 0)


class Deliverer:
    """Delivers what is due, one client at a time, without a transaction open over the network."""

    def __init__(
        self, database: Database, clients: ClientRegistry, keys: SigningKeys, issuer: str, http: httpx.Client
    ) -> None:
        self._database, self._clients, self._keys = database, clients, keys
        self._issuer, self._http = issuer, http

    def step(self) -> bool:
        """One delivery; True when there may be more."""
        row = self._claim()
        if row is None:
            return False
        client = self._clients.find(row.client_id)
        if client is None or not client.backchannel_logout_uri:
            self._finish(row, "client gone")
        elif utcnow() - row.created_at > GIVE_UP_AFTER:
            self._finish(row, "given up")
        elif self._deliver(client, row):
            self._finish(row, "delivered")
        return True

    def _claim(self) -> LogoutRow | None:
        with self._database.transaction() as unit:
            now = utcnow()
            row: LogoutRow | None = unit.session.scalar(_DUE, {"now": now})
            if row is not None:
                row.attempts += 1
                row.next_attempt_at = now + min(LONGEST_PAUSE, timedelta(seconds=2 ** min(row.attempts, 9)))
            return row

    def _finish(self, row: LogoutRow, outcome: str) -> None:
        with self._database.transaction() as unit:
            stored = unit.session.get_one(LogoutRow, row.id)
            stored.ended_at, stored.outcome = utcnow(), outcome

    def _deliver(self, client: Client, row: LogoutRow) -> bool:
        token = logout_token(self._keys, self._issuer, client.client_id, row)
        try:
            answer = self._http.post(client.backchannel_logout_uri or "", data={"logout_token": token})
        except httpx.HTTPError as error:
            log.warning("call.failed", audience=client.client_id, status=0, reason=type(error).__name__)
            return False
        if answer.status_code not in (200, 204):
            log.warning("call.failed", audience=client.client_id, status=answer.status_code, reason="logout")
            return False
        return True


def logout_token(keys: SigningKeys, issuer: str, client_id: str, row: LogoutRow) -> str:
    """A logout token for one client: both ``sub`` and ``sid``, never a nonce."""
    now = int(utcnow().timestamp())
    claims = {
        "iss": issuer,
        "aud": client_id,
        "sub": str(row.citizen_id),
        "sid": str(row.session_id),
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        "jti": str(uuid4()),
        "events": {EVENT: {}},
    }
    return jwt.encode({"alg": ALGORITHM, "typ": "logout+jwt"}, claims, keys.signing, [ALGORITHM])


def caller() -> httpx.Client:
    """The HTTP client for deliveries; short, and it follows no redirects."""
    return httpx.Client(timeout=httpx.Timeout(5.0, connect=2.0), trust_env=False, follow_redirects=False)
