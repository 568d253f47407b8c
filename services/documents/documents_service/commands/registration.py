"""A file is announced; a form that takes exactly this file is signed."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from documents_service.model.document import Document, UploadRefused
from documents_service.model.names import clean_name
from documents_service.settings import Settings
from documents_service.tables import documents
from espace.db import UnitOfWork
from espace.files import EVERY_TYPE
from espace.telemetry import get_logger, request_id, traceparent
from espace.telemetry.metrics import UPLOADS

log = get_logger()


def register_upload(
    unit: UnitOfWork,
    settings: Settings,
    *,
    owner_id: uuid.UUID,
    dossier_id: uuid.UUID,
    slot: str,
    filename: str,
    size: int,
    content_type: str,
    sha256: str,
    at: datetime,
) -> Document:
    """Announce one file of a citizen.

    Raises:
        UploadRefused: ``file_empty``, ``file_too_large``, ``too_many_files``.
    """
    try:
        _check(unit.session, settings, dossier_id=dossier_id, owner_id=owner_id, size=size)
    except UploadRefused as refusal:
        UPLOADS.labels(refusal.code).inc()
        raise
    document = Document(
        id=uuid.uuid4(),
        owner_id=owner_id,
        dossier_id=dossier_id,
        slot=slot,
        filename=clean_name(filename),
        size=size,
        sha256=sha256.lower(),
        declared_type=content_type if content_type in EVERY_TYPE else "application/octet-stream",
        created_at=at,
        expires_at=at + settings.form_lifetime,
        sweep_due_at=at + timedelta(seconds=settings.vanished_seconds),
        request_id=request_id(),
        traceparent=traceparent(),
    )
    unit.session.add(document)
    log.info("upload.signed", document_id=str(document.id), size=size)
    return document


def _check(
    session: Session, settings: Settings, *, dossier_id: uuid.UUID, owner_id: uuid.UUID, size: int
) -> None:
    if size < 1:
        raise UploadRefused("file_empty")
    if size > settings.max_upload_bytes:
        raise UploadRefused("file_too_large")
    held = session.scalar(
        select(func.count())
        .select_from(documents)
        .where(
            documents.c.dossier_id == dossier_id,
            documents.c.owner_id == owner_id,
            documents.c.state.in_(("registered", "verified")),
        )
    )
    if (held or 0) >= settings.max_files_per_dossier:
        raise UploadRefused("too_many_files")
