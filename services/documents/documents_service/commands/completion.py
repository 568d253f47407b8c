"""An uploaded file is verified: it is there, it is what was announced, it is of a type that is taken.

The work is done without an open transaction; its outcome is written in one. Doing it twice, or by two at
once, gives the same answer: the bytes are fixed by their hash, the copy by the ETag that was verified.
"""

import hashlib
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from documents_service.desk import Desk
from documents_service.events import document_scanned
from documents_service.model.document import Document, UploadMissing, UploadRefused
from documents_service.model.file_types import content_type_of
from documents_service.pdf_check import check_pdf
from documents_service.queries import find_document
from documents_service.tables import documents
from espace import crash
from espace.clock import utcnow
from espace.errors import TransientError
from espace.files import PDF
from espace.objects import ObjectChanged, ObjectMissing, ObjectStore, ObjectStoreError
from espace.telemetry import get_logger, request_id, traceparent
from espace.telemetry.metrics import UPLOADS

log = get_logger()


@dataclass(frozen=True)
class _Verified:
    content_type: str
    etag: str


def complete_upload(desk: Desk, document_id: uuid.UUID, *, owner_id: uuid.UUID | None = None) -> Document:
    """Verify an upload and keep it.

    Args:
        owner_id: the citizen who asks; None is the sweeper.

    Raises:
        DocumentNotFound: there is none, or it is another's.
        UploadMissing: no file has come yet.
        UploadRefused: the file is not taken, now and for ever.
        TransientError: the store does not answer; ask again.
    """
    with desk.database.session() as session:
        document = find_document(session, document_id, owner_id=owner_id)
    if document.state == "registered":
        document = _verify(desk, document)
    if document.state == "refused":
        raise UploadRefused(document.refusal or "")
    if document.state == "expired":
        raise UploadMissing
    return document


def _verify(desk: Desk, document: Document) -> Document:
    try:
        outcome = _examine(desk.store, document)
    except UploadMissing:
        # Somebody else may have decided and removed it meanwhile: theirs holds.
        with desk.database.session() as session:
            decided = find_document(session, document.id, owner_id=None)
        if decided.state == "registered":
            raise
        return decided
    document = _decide(desk, document.id, outcome)
    _remove_incoming(desk.store, document)
    return document


def _examine(store: ObjectStore, document: Document) -> _Verified | UploadRefused:
    try:
        found = store.stat(document.incoming_key)
        if found.size != document.size:
            return UploadRefused("file_empty" if found.size == 0 else "hash_mismatch")
        with tempfile.TemporaryDirectory(prefix="upload-") as folder:
            file = Path(folder) / "file"
            if _fetch(store, document, found.etag, file) != document.sha256:
                return UploadRefused("hash_mismatch")
            content_type = content_type_of(file, declared=document.declared_type)
            if content_type == PDF:
                check_pdf(file)
        crash.point("documents.before_copy")
        store.copy_if_match(document.incoming_key, document.key, etag=found.etag, content_type=content_type)
        crash.point("documents.after_copy")
    except UploadRefused as refusal:
        return refusal
    except ObjectMissing:
        raise UploadMissing from None
    except ObjectChanged as error:
        raise TransientError("the file was sent again while it was being verified") from error
    return _Verified(content_type, found.etag)


def _fetch(store: ObjectStore, document: Document, etag: str, target: Path) -> str:
    """Write the object to ``target``; its SHA-256, or nothing when there is more of it than announced."""
    digest, left = hashlib.sha256(), document.size
    with target.open("wb") as file:
        for piece in store.stream(document.incoming_key, etag=etag):
            left -= len(piece)
            if left < 0:
                return ""
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def _decide(desk: Desk, document_id: uuid.UUID, outcome: _Verified | UploadRefused) -> Document:
    """Write the outcome, unless somebody else did meanwhile: then theirs holds."""
    with desk.database.transaction() as unit:
        document = unit.session.scalars(
            select(Document).where(documents.c.id == document_id).with_for_update()
        ).one()
        if document.state != "registered":
            return document
        document.request_id, document.traceparent = request_id(), traceparent()
        if isinstance(outcome, UploadRefused):
            document.refuse(outcome.code)
        else:
            at = utcnow()
            document.verify(
                content_type=outcome.content_type,
                etag=outcome.etag,
                statement=desk.signer.statement(document, content_type=outcome.content_type, at=at),
                at=at,
                scanner=desk.scanner is not None,
            )
            if document.scan == "not_scanned":
                unit.record(document_scanned(document))
    if isinstance(outcome, UploadRefused):
        UPLOADS.labels(outcome.code).inc()
        log.info("upload.refused", document_id=str(document.id), reason=outcome.code)
    else:
        UPLOADS.labels("verified").inc()
        log.info("upload.verified", document_id=str(document.id), size=document.size)
    return document


def _remove_incoming(store: ObjectStore, document: Document) -> None:
    """Tidy at once where possible; what stays is removed by the sweeper when the form has expired."""
    crash.point("documents.before_removal")
    try:
        store.remove(document.incoming_key)
    except (ObjectStoreError, TransientError) as error:
        log.warning("upload.not_removed", document_id=str(document.id), reason=type(error).__name__)
