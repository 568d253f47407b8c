"""What became of each file in documents' malware scan: a projection, kept by events."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dossier_service.tables import document_scans

_OUTCOMES = select(document_scans.c.document_id, document_scans.c.outcome).where(
    document_scans.c.document_id.in_(bindparam("ids", expanding=True))
)


def note_scan(session: Session, document_id: UUID, outcome: str, version: int) -> None:
    """Keep a scan's outcome; an older one than the one in hand is ignored."""
    statement = insert(document_scans).values(document_id=document_id, outcome=outcome, version=version)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["document_id"],
            set_={"outcome": statement.excluded.outcome, "version": statement.excluded.version},
            where=document_scans.c.version < statement.excluded.version,
        )
    )


def outcomes(session: Session, document_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The outcome of each document that was scanned."""
    wanted = list(document_ids)
    if not wanted:
        return {}  # most pages are of drafts without a file
    found = session.execute(_OUTCOMES, {"ids": wanted})
    return {row.document_id: row.outcome for row in found}
