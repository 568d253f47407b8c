"""What clients leave behind: files that nobody completed, forms that nobody used, objects to remove."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, select

from documents_service.commands.completion import complete_upload
from documents_service.desk import Desk
from documents_service.model.document import Document, UploadMissing, UploadRefused
from documents_service.tables import documents
from espace.clock import utcnow
from espace.db import UnitOfWork
from espace.errors import TransientError
from espace.telemetry import caused_by, get_logger, tracing
from espace.telemetry.metrics import UPLOADS

log = get_logger()
BATCH: Final = 20
PAUSE: Final = timedelta(seconds=60)
GRACE: Final = timedelta(minutes=15)  # an upload that began in time may end after its form expired
# Made once: a worker asks all the time, mostly for nothing.
_LEFT: Final = (
    select(Document)
    .where(documents.c.state == "registered", documents.c.sweep_due_at <= bindparam("now"))
    .order_by(documents.c.sweep_due_at)
    .limit(BATCH)
    .with_for_update(skip_locked=True)
)


def sweep_uploads(desk: Desk) -> bool:
    """Verify what was sent and not completed; expire what was never sent; whether there may be more."""
    due = _due(desk)
    for document in due:
        with caused_by(document.request_id, document.traceparent), tracing.span("sweep"):
            if not _sweep(desk, document.id):
                return False
    return len(due) == BATCH


def _sweep(desk: Desk, document_id: uuid.UUID) -> bool:
    """Whether the store answered."""
    try:
        complete_upload(desk, document_id)
    except UploadMissing:
        if not _expire(desk, document_id):
            return True
    except UploadRefused:
        pass  # the row says why
    except TransientError:
        log.warning("upload.not_swept", document_id=str(document_id))
        return False
    log.info("upload.swept", document_id=str(document_id))
    return True


def remove_incoming(desk: Desk) -> bool:
    """Remove the uploaded objects of rows that are decided and whose forms cannot be used any more.

    The row is decided before the object goes, and says so after: killed in between, it is done again.
    """
    with desk.database.session() as session:
        due = (
            session.execute(
                select(documents.c.id)
                .where(
                    documents.c.state != "registered",
                    documents.c.incoming_removed_at.is_(None),
                    documents.c.expires_at < utcnow() - GRACE,
                )
                .order_by(documents.c.expires_at)
                .limit(BATCH)
            )
            .scalars()
            .all()
        )
    for document_id in due:
        desk.store.remove(f"incoming/{document_id}")
        with desk.database.transaction() as unit:
            _held(unit, document_id).incoming_removed_at = utcnow()
    return len(due) == BATCH


def _due(desk: Desk) -> Sequence[Document]:
    now = utcnow()
    with desk.database.transaction() as unit:
        found = unit.session.scalars(_LEFT, {"now": now}).all()
        for document in found:
            document.sweep_due_at = now + PAUSE
    return found


def _expire(desk: Desk, document_id: uuid.UUID) -> bool:
    with desk.database.transaction() as unit:
        document = _held(unit, document_id)
        if document.state != "registered" or document.expires_at > utcnow() - GRACE:
            return False
        document.expire()
    UPLOADS.labels("expired").inc()
    return True


def _held(unit: UnitOfWork, document_id: uuid.UUID) -> Document:
    return unit.session.get_one(Document, document_id, with_for_update=True)
