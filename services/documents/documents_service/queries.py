"""Reads."""

import uuid

from sqlalchemy.orm import Session

from documents_service.model.document import Document


class DocumentNotFound(LookupError):
    """There is no such document, or it is another citizen's: nobody is told which."""


def find_document(session: Session, document_id: uuid.UUID, *, owner_id: uuid.UUID | None) -> Document:
    """One document.

    Args:
        owner_id: whose it must be; None for the service itself.

    Raises:
        DocumentNotFound: no document, or another's.
    """
    document = session.get(Document, document_id)
    if document is None or (owner_id is not None and document.owner_id != owner_id):
        raise DocumentNotFound(str(document_id))
    return document
