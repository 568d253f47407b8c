"""What is shown of files: whether the scanner answers, and what each loop has before it."""

from sqlalchemy import Column, ColumnElement, func, select
from sqlalchemy.orm import Session

from documents_service.scanner import Scanner
from documents_service.tables import documents, manifests
from espace.db.reports import Report
from espace.telemetry.metrics import LOOP_BACKLOG, LOOP_OLDEST_AGE, SCANNER_UP, SCANS, UPLOADS

_now = func.clock_timestamp()
_left = (documents.c.state == "registered") & (documents.c.sweep_due_at <= _now)
Work = tuple[ColumnElement[bool], Column[object]]
WORK: dict[str, Work] = {
    "scan": (documents.c.scan == "pending", documents.c.verified_at),
    "sweep": (_left, documents.c.sweep_due_at),
    "manifest": (manifests.c.written_at.is_(None), manifests.c.created_at),
}
"""Loop → which rows wait for it, and since when."""


def watching(scanner: Scanner | None) -> Report:
    """The report of the scanner and the backlogs; the counts exist at zero from now on."""
    for outcome in ("clean", "infected", "not_scanned"):
        SCANS.labels(outcome)
    for outcome in ("verified", "expired"):
        UPLOADS.labels(outcome)

    def report(session: Session) -> None:
        for loop, (waits, since) in WORK.items():
            age = func.extract("epoch", _now - func.min(since))
            backlog, oldest = session.execute(select(func.count(), age).where(waits)).one()
            LOOP_BACKLOG.labels(loop).set(backlog)
            LOOP_OLDEST_AGE.labels(loop).set(oldest or 0)
        if scanner is not None:
            SCANNER_UP.set(scanner.answers())

    return report
