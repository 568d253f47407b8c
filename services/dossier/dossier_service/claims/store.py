"""Loads dossiers and takes their row lock: every command on a dossier waits for the one before."""

from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session, joinedload

from dossier_service.claims.model import Dossier
from dossier_service.tables import dossiers

# Made once: every request asks, and building and keying them took longer than their answers.
_FOUND = select(Dossier).where(dossiers.c.id == bindparam("id")).execution_options(populate_existing=True)
_READ = _FOUND.options(joinedload(Dossier.attachments))  # type: ignore[arg-type]
# Its attachments are read by a statement of their own: one that waits for a row's lock sees that row anew,
# but what it joins as it was before the wait.
_LOCKED = _FOUND.with_for_update()


class NotFound(Exception):
    """There is no such thing, or it is somebody else's: nobody learns which."""


def own(session: Session, citizen_id: UUID, dossier_id: UUID, *, lock: bool = False) -> Dossier:
    """The citizen's dossier.

    Raises:
        NotFound: unknown, or another citizen's.
    """
    found = find(session, dossier_id, lock=lock)
    if found is None or found.citizen_id != citizen_id:
        raise NotFound
    return found


def find(session: Session, dossier_id: UUID, *, lock: bool = False) -> Dossier | None:
    """The dossier of that id, as the database has it now."""
    return session.scalars(_LOCKED if lock else _READ, {"id": dossier_id}).unique().one_or_none()
