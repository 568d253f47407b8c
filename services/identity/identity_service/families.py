"""Codes and refresh tokens: taken once, and what happens when they come twice."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from espace.clock import utcnow
from espace.telemetry import get_logger
from identity_service import secret
from identity_service.means import acr
from identity_service.sessions import IDLE
from identity_service.tables import CitizenRow, CodeRow, FamilyRow, RefreshRow, SessionRow

CODE_LIFETIME = timedelta(seconds=60)
FAMILY_LIFETIME = timedelta(hours=12)
log = get_logger()


@dataclass(frozen=True)
class Subject:
    """Whom tokens speak of, and how she logged in; ``family_id`` once there are tokens."""

    citizen_id: UUID
    session_id: UUID
    level: int
    amr: tuple[str, ...]
    auth_time: int
    family_id: UUID | None = None

    @property
    def acr(self) -> str:
        """The level as a context class."""
        return acr(self.level)

    def get_user_id(self) -> str:
        """Authlib's name for the subject."""
        return str(self.citizen_id)


class CodeGrantFacts:
    """A code that was taken, as Authlib's grant and OpenIDCode look at it."""

    code_challenge_method = "S256"

    def __init__(self, code: CodeRow, family: FamilyRow) -> None:
        self.code_challenge = code.code_challenge
        self.subject = subject_of_family(family)
        self._code, self._family = code, family

    def get_redirect_uri(self) -> str:
        """Where the code went."""
        return self._code.redirect_uri

    def get_scope(self) -> str:
        """What was granted."""
        return self._family.scope

    def get_nonce(self) -> str | None:
        """The client's nonce."""
        return self._code.nonce

    def get_auth_time(self) -> int:
        """When she logged in."""
        return self.subject.auth_time

    def get_acr(self) -> str:
        """How surely."""
        return self.subject.acr

    def get_amr(self) -> list[str]:
        """By what."""
        return list(self.subject.amr)


class RefreshGrantFacts:
    """A refresh token that was taken, as Authlib's grant looks at it."""

    def __init__(self, family: FamilyRow) -> None:
        self.subject = subject_of_family(family)
        self._family = family

    def check_client(self, client: object) -> bool:
        """Whether it is that client's."""
        return getattr(client, "client_id", None) == self._family.client_id

    def get_scope(self) -> str:
        """What was granted."""
        return self._family.scope


def subject_of_session(row: SessionRow) -> Subject:
    """The subject of a browser's session."""
    return Subject(row.citizen_id, row.id, row.level, tuple(row.amr), int(row.auth_time.timestamp()))


def subject_of_family(row: FamilyRow) -> Subject:
    """The subject of a family of tokens."""
    auth_time = int(row.auth_time.timestamp())
    return Subject(row.citizen_id, row.session_id, row.level, tuple(row.amr), auth_time, row.id)


def save_code(
    session: Session,
    code: str,
    *,
    client_id: str,
    redirect_uri: str,
    scope: str,
    nonce: str | None,
    code_challenge: str,
    login: SessionRow,
) -> None:
    """Keep a new code, and open the family of what it will bring."""
    now = utcnow()
    family = FamilyRow(
        session_id=login.id,
        citizen_id=login.citizen_id,
        client_id=client_id,
        scope=scope,
        level=login.level,
        amr=list(login.amr),
        auth_time=login.auth_time,
        created_at=now,
        expires_at=now + FAMILY_LIFETIME,
    )
    session.add(family)
    session.flush()
    session.add(
        CodeRow(
            code_hash=secret.hashed(code),
            family_id=family.id,
            client_id=client_id,
            redirect_uri=redirect_uri,
            nonce=nonce,
            code_challenge=code_challenge,
            created_at=now,
            expires_at=now + CODE_LIFETIME,
        )
    )
    session.flush()


def nonce_known(session: Session, client_id: str, nonce: str) -> bool:
    """Whether that client used that nonce before (as far as codes are kept)."""
    wanted = select(CodeRow.code_hash).where(CodeRow.client_id == client_id, CodeRow.nonce == nonce)
    return session.execute(wanted.limit(1)).first() is not None


def take_code(session: Session, code: str, client_id: str) -> CodeGrantFacts | None:
    """The code, once; a second use revokes all that came from it (RFC 6749, 4.1.2)."""
    row = session.scalar(
        select(CodeRow)
        .where(CodeRow.code_hash == secret.hashed(code), CodeRow.client_id == client_id)
        .with_for_update()
    )
    if row is None:
        return None
    if row.used_at is not None:
        revoke(session, row.family_id, "code used twice")
        return None
    row.used_at = utcnow()
    family = _living(session, row.family_id)
    if row.used_at > row.expires_at or family is None:
        return None
    return CodeGrantFacts(row, family)


def add_refresh(session: Session, family_id: UUID, token: str) -> None:
    """Keep a new refresh token of the family."""
    session.add(RefreshRow(token_hash=secret.hashed(token), family_id=family_id, created_at=utcnow()))
    session.flush()


def take_refresh(session: Session, token: str, client_id: str) -> RefreshGrantFacts | None:
    """The token's family, once; a second use kills the family, without grace (RFC 9700, 4.14.2).

    Another client's token is refused and stays good: whoever guesses must not log others out.
    """
    row = session.scalar(
        select(RefreshRow)
        .join(FamilyRow)
        .where(RefreshRow.token_hash == secret.hashed(token), FamilyRow.client_id == client_id)
        .with_for_update(of=RefreshRow)
    )
    if row is None:
        return None
    if row.used_at is not None:
        revoke(session, row.family_id, "refresh token used twice")
        return None
    family = _living(session, row.family_id)
    if family is None:
        return None
    row.used_at = now = utcnow()
    # A session that was idle too long stays over: a client's refresh does not log her browser in again.
    awake = (SessionRow.id == family.session_id, SessionRow.seen_at > now - IDLE)
    session.execute(update(SessionRow).where(*awake).values(seen_at=now))
    return RefreshGrantFacts(family)


def is_living(session: Session, family_id: UUID) -> bool:
    """Whether tokens of this family still count."""
    return _living(session, family_id) is not None


def revoke(session: Session, family_id: UUID, reason: str) -> None:
    """End a family; what it issued is refused from now on."""
    log.warning("token.reuse_detected", reason=reason)
    session.execute(
        update(FamilyRow)
        .where(FamilyRow.id == family_id, FamilyRow.revoked_at.is_(None))
        .values(revoked_at=utcnow(), revoked_because=reason)
    )


def _living(session: Session, family_id: UUID) -> FamilyRow | None:
    return session.scalar(
        select(FamilyRow)
        .join(CitizenRow, CitizenRow.id == FamilyRow.citizen_id)
        .where(
            FamilyRow.id == family_id,
            FamilyRow.revoked_at.is_(None),
            FamilyRow.expires_at > utcnow(),
            CitizenRow.disabled_at.is_(None),
        )
    )
