"""A declaration or receipt is made from what dossier says, once for each content."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from documents_service import papers
from documents_service.desk import Desk
from documents_service.model.document import Document
from documents_service.papers import Paper, PaperKind
from documents_service.rendering import render
from documents_service.statements import generated_id
from documents_service.tables import documents
from espace.clock import utcnow
from espace.telemetry import get_logger

log = get_logger()
_LAYOUTS: Mapping[PaperKind, Callable[[Mapping[str, Any]], Paper]] = {
    "declaration": papers.declaration,
    "receipt": papers.receipt,
}


def make_paper(
    desk: Desk, kind: PaperKind, *, owner_id: uuid.UUID, dossier_id: uuid.UUID, data: Mapping[str, Any]
) -> Document:
    """The document of dossier's answer ``data``; made now or found.

    Raises:
        TransientError: the store does not answer; ask again.
    """
    paper = _LAYOUTS[kind](data)
    document_id = generated_id(kind, f"{owner_id}:{paper.sha256}")
    with desk.database.session() as session:
        found = session.get(Document, document_id)
    if found is not None:
        return found
    pdf = render(paper)
    at = utcnow()
    document = Document(
        id=document_id,
        owner_id=owner_id,
        kind=kind,
        dossier_id=dossier_id,
        slot=kind,
        filename=paper.filename,
        size=len(pdf),
        sha256=hashlib.sha256(pdf).hexdigest(),
        declared_type="application/pdf",
        content_type="application/pdf",
        created_at=at,
        expires_at=at,
        incoming_removed_at=at,
        verified_at=at,
        state="verified",
        scan="generated",
    )
    desk.store.put(document.key, pdf, content_type="application/pdf")
    row = {column.key: getattr(document, column.key) for column in documents.columns}
    with desk.database.transaction() as unit:
        unit.session.execute(insert(documents).values(row).on_conflict_do_nothing())
        document = unit.session.get_one(Document, document_id)
    log.info("document.generated", document_id=str(document_id), kind=kind)
    return document
