"""The malware scan. It comes after the deposit and never holds it up."""

import time
from datetime import timedelta
from typing import Final

from sqlalchemy import bindparam, select

from documents_service.desk import Desk
from documents_service.events import document_scanned
from documents_service.model.document import Document, Scan
from documents_service.scanner import ScannerDown
from documents_service.tables import documents
from espace.clock import utcnow
from espace.errors import DependencyDown
from espace.objects import ObjectStoreError
from espace.telemetry import caused_by, get_logger, tracing
from espace.telemetry.metrics import SCANS, UPLOAD_SCAN

log = get_logger()
LEASE: Final = timedelta(minutes=5)
LONGEST_PAUSE: Final = 60
# Made once: a worker asks all the time, mostly for nothing.
_NEXT: Final = (
    select(Document)
    .where(documents.c.scan == "pending", documents.c.scan_due_at <= bindparam("now"))
    .order_by(documents.c.scan_due_at)
    .limit(1)
    .with_for_update(skip_locked=True)
)


def scan_next(desk: Desk) -> bool:
    """Scan the document that waits longest; whether there may be another one.

    Without a scanner, documents that waited for one are from now on "not scanned".
    """
    document = _take(desk)
    if document is None:
        return False
    with caused_by(document.request_id, document.traceparent), tracing.span("scan"):
        return _scan(desk, document)


def _scan(desk: Desk, document: Document) -> bool:
    if desk.scanner is None:
        _record(desk, document, "not_scanned", None)
        return True
    started = time.monotonic()
    try:
        result = desk.scanner.scan(desk.store.stream(document.key))
    except (ScannerDown, DependencyDown, ObjectStoreError) as error:
        log.warning("scanner.unavailable", document_id=str(document.id), reason=str(error))
        _postpone(desk, document)
        return False
    UPLOAD_SCAN.observe(time.monotonic() - started)
    _record(desk, document, result.outcome, result.signature)
    return True


def _take(desk: Desk) -> Document | None:
    """Lease one due document, so that no other worker scans it and a killed worker's comes again."""
    now = utcnow()
    with desk.database.transaction() as unit:
        document: Document | None = unit.session.scalars(_NEXT, {"now": now}).first()
        if document is not None:
            document.scan_due_at = now + LEASE
            document.scan_attempts += 1
    return document


def _record(desk: Desk, document: Document, outcome: Scan, signature: str | None) -> None:
    with desk.database.transaction() as unit:
        held = unit.session.get_one(Document, document.id, with_for_update=True)
        if held.scan != "pending":
            return
        held.scanned(outcome, signature=signature, at=utcnow())
        unit.record(document_scanned(held))
    SCANS.labels(outcome).inc()
    log.info("document.scanned", document_id=str(document.id), outcome=outcome, signature=signature)


def _postpone(desk: Desk, document: Document) -> None:
    pause = min(LONGEST_PAUSE, 2 ** min(document.scan_attempts, 10))
    with desk.database.transaction() as unit:
        held = unit.session.get_one(Document, document.id, with_for_update=True)
        if held.scan == "pending":
            held.scan_due_at = utcnow() + timedelta(seconds=pause)
