"""What became of each file in documents' malware scan: a projection, kept by events."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from dossier_service.tables import document_scans


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
    table, wanted = document_scans, list(document_ids)
    if not wanted:
        return {}  # most pages are of drafts without a file
    found = session.execute(
        select(table.c.document_id, table.c.outcome).where(table.c.document_id.in_(wanted))
    )
    return {row.document_id: row.outcome for row in found}
