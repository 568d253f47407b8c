"""Sessions of signed-in browsers: opaque ids, rows in web's own database, contents encrypted.

A session ends after 30 minutes without a request, 12 hours after login, at logout, and when the provider
says so through the back channel. Its row stays a while without its contents: a form that arrives late is
kept for whose it is. Real time, by the database's clock.
"""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, not_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session as Connection

from espace.db import Database
from espace_web.tables import KeptForm, LogoutNotice, SessionRow
from espace_web.vault import Tampered, Vault

INACTIVITY = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=12)
KEPT = timedelta(hours=24)
REMEMBERED = timedelta(hours=36)
TOUCH_EVERY = timedelta(seconds=30)
TOKEN_BYTES = 32


class SessionOver(Exception):
    """The session ended while the request was being served."""


@dataclass
class Session:
    """A live session. ``data`` is a copy: change it through the store."""

    row_id: UUID
    token: str
    citizen_id: str
    data: dict[str, Any]


class SessionStore:
    """Creates, finds, rotates and ends sessions."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def create(self, citizen_id: str, sid: str | None, data: dict[str, Any]) -> str:
        """Open a session and return its cookie value; old rows are swept on the way."""
        token, row_id = secrets.token_urlsafe(TOKEN_BYTES), uuid4()
        with self._database.transaction() as work:
            _sweep(work.session)
            work.session.add(
                SessionRow(
                    id=row_id,
                    token_hash=_hash(token),
                    citizen_id=citizen_id,
                    sid=sid,
                    sealed=self._vault.seal(data, str(row_id)),
                )
            )
        return token

    def find(self, token: str) -> Session | None:
        """The live session of a cookie value; its inactivity starts again.

        None as well when its key is not in use any more.
        """
        with self._database.transaction() as work:
            connection = work.session.connection()
            row = connection.execute(_FOUND, {"hash": _hash(token)}).one_or_none()
            data = self._opened(row.sealed, str(row.id)) if row is not None else None
            if row is None or data is None:
                return None
            if row.to_touch:
                connection.execute(_TOUCHED, {"row_id": row.id})
            return Session(row.id, token, row.citizen_id, data)

    def whose(self, token: str) -> str | None:
        """The citizen a cookie value belongs to, or belonged to until a day and a half ago at least."""
        with self._database.session() as session:
            return session.scalars(
                select(SessionRow.citizen_id).where(SessionRow.token_hash == _hash(token))
            ).one_or_none()

    @contextmanager
    def locked(self, session: Session) -> Iterator[dict[str, Any]]:
        """The session's data under its row lock; what the block changes is stored at its normal end.

        Raises:
            SessionOver: it ended meanwhile.
        """
        with self._database.transaction() as work:
            row = self._locked(work.session, session)
            data = self._opened(row.sealed, str(row.id))
            if data is None:
                raise SessionOver
            yield data
            row.sealed = self._vault.seal(data, str(row.id))
        session.data = data

    def change(self, session: Session, **values: Any) -> None:
        """Set values of the session's data."""
        with self.locked(session) as data:
            data.update(values)

    def rotate(self, session: Session) -> str:
        """Give the session a new cookie value; the old one stops working."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._database.transaction() as work:
            self._locked(work.session, session).token_hash = _hash(token)
        session.token = token
        return token

    def end(self, token: str) -> None:
        """End one session."""
        with self._database.transaction() as work:
            _end(work.session, SessionRow.token_hash == _hash(token))

    def end_by_provider(self, jti: str, sid: str | None, citizen_id: str | None) -> bool:
        """Obey a logout notice: end the session ``sid``, or all of the citizen's. False: already obeyed."""
        which: list[ColumnElement[bool]] = []
        if sid is not None:
            which.append(SessionRow.sid == sid)
        if citizen_id is not None:
            which.append(SessionRow.citizen_id == citizen_id)
        with self._database.transaction() as work:
            new = work.session.execute(
                insert(LogoutNotice).values(jti=jti).on_conflict_do_nothing().returning(LogoutNotice.jti)
            ).first()
            if new is None:
                return False
            _end(work.session, *which)
            return True

    def keep_form(self, citizen_id: str, path: str, values: dict[str, list[str]]) -> None:
        """Keep what was typed on the page ``path`` for a day, replacing what was kept before."""
        sealed = self._vault.seal({"values": values}, f"{citizen_id} {path}")
        with self._database.transaction() as work:
            work.session.execute(
                insert(KeptForm)
                .values(id=uuid4(), citizen_id=citizen_id, path=path, sealed=sealed)
                .on_conflict_do_update(
                    index_elements=["citizen_id", "path"], set_={"sealed": sealed, "created_at": func.now()}
                )
            )

    def kept_form(self, citizen_id: str, path: str) -> dict[str, list[str]] | None:
        """What was kept for a page and can still be read; it stays until :meth:`drop_form`."""
        with self._database.session() as session:
            row = session.scalars(
                select(KeptForm).where(KeptForm.citizen_id == citizen_id, KeptForm.path == path)
            ).one_or_none()
        data = self._opened(row.sealed, f"{citizen_id} {path}") if row is not None else None
        values: dict[str, list[str]] | None = data["values"] if data is not None else None
        return values

    def drop_form(self, citizen_id: str, path: str) -> None:
        """Forget what was kept: the page's form has been saved."""
        with self._database.transaction() as work:
            work.session.execute(
                delete(KeptForm).where(KeptForm.citizen_id == citizen_id, KeptForm.path == path)
            )

    def _opened(self, sealed: bytes | None, context: str) -> dict[str, Any] | None:
        try:
            return self._vault.open(sealed or b"", context)
        except Tampered:
            return None

    @staticmethod
    def _locked(connection: Connection, session: Session) -> SessionRow:
        row = connection.scalars(
            select(SessionRow)
            .where(SessionRow.id == session.row_id, SessionRow.ended_at.is_(None))
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise SessionOver
        return row


def _alive() -> ColumnElement[bool]:
    return and_(
        SessionRow.ended_at.is_(None),
        SessionRow.seen_at > func.now() - INACTIVITY,
        SessionRow.created_at > func.now() - ABSOLUTE,
    )


# Made once: every page asks, and building and keying them took longer than their answers.
_NOT_TOUCHED = SessionRow.seen_at < func.now() - TOUCH_EVERY
_FOUND = select(
    SessionRow.id, SessionRow.citizen_id, SessionRow.sealed, _NOT_TOUCHED.label("to_touch")
).where(SessionRow.token_hash == bindparam("hash"), _alive())
_TOUCHED = (
    update(SessionRow.__table__)  # type: ignore[arg-type]
    .where(SessionRow.id == bindparam("row_id"), _NOT_TOUCHED)
    .values(seen_at=func.now())
)


def _end(connection: Connection, *which: ColumnElement[bool]) -> None:
    """Nothing of an ended session stays but its hash and whose it was."""
    connection.execute(
        update(SessionRow)
        .where(SessionRow.ended_at.is_(None), *which)
        .values(ended_at=func.now(), sealed=None)
    )


def _sweep(connection: Connection) -> None:
    over = select(SessionRow.id).where(SessionRow.ended_at.is_(None), not_(_alive()))
    _end(connection, SessionRow.id.in_(over.with_for_update(skip_locked=True)))
    connection.execute(delete(SessionRow).where(SessionRow.ended_at < func.now() - REMEMBERED))
    connection.execute(delete(KeptForm).where(KeptForm.created_at < func.now() - KEPT))
    connection.execute(delete(LogoutNotice).where(LogoutNotice.created_at < func.now() - KEPT))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
