"""Loads dossiers and takes their row lock: every command on a dossier waits for the one before."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from dossier_service.claims.model import Dossier
from dossier_service.tables import dossiers


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
    wanted = select(Dossier).where(dossiers.c.id == dossier_id).execution_options(populate_existing=True)
    if lock:
        wanted = wanted.with_for_update()
    return session.scalars(wanted).one_or_none()
