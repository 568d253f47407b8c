"""What this service publishes."""

from documents_service.model.document import Document
from espace.bus import Event


def document_scanned(document: Document) -> Event:
    """The malware scan of ``document`` has an outcome, or there is no scanner."""
    return Event(
        type="be.espace.document.scanned.v1",
        subject=str(document.id),
        version=document.version,
        data={
            "document_id": str(document.id),
            "owner_id": str(document.owner_id),
            "outcome": document.scan,
            "signature": document.scan_signature,
        },
    )
