"""A document: registered, then verified, refused or expired; scanned; deposited."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["registered", "verified", "refused", "expired"]
Scan = Literal["pending", "clean", "infected", "not_scanned"]


class DocumentError(Exception):
    """A rule about documents says no; ``code`` is stable and has a text in the catalogues."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class UploadRefused(DocumentError):
    """The file is not taken, and never will be: the citizen chooses another."""


class UploadMissing(DocumentError):
    """The file has not arrived (yet): the same form may be posted again."""

    def __init__(self) -> None:
        super().__init__("upload_missing")


class NotServed(DocumentError):
    """The document exists and is not given out now."""


@dataclass(kw_only=True)
class Document:
    """One file of one citizen.

    Attributes:
        sha256: hexadecimal; what the citizen's side announced, and what the bytes were proven to have.
        declared_type: what the client said; it decides nothing but the words of a refusal.
        content_type: what the bytes are, once verified.
        etag: the version of the uploaded object that was verified.
        statement: the signed statement about the verified file, the same at each asking.
        version: grows with each fact that is published about the document.
        sweep_due_at: when the sweeper looks next whether a file came that nobody completed.
        incoming_removed_at: when the uploaded object was removed from ``incoming/``.
        request_id, traceparent: of the request that announced or completed it; what follows by itself goes on
            under them.
    """

    id: uuid.UUID
    owner_id: uuid.UUID
    dossier_id: uuid.UUID
    slot: str
    filename: str
    size: int
    sha256: str
    declared_type: str
    created_at: datetime
    expires_at: datetime
    state: State = "registered"
    refusal: str | None = None
    content_type: str | None = None
    etag: str | None = None
    statement: str | None = None
    verified_at: datetime | None = None
    scan: Scan | None = None
    scan_signature: str | None = None
    scan_due_at: datetime | None = None
    scan_attempts: int = 0
    scanned_at: datetime | None = None
    deposited_at: datetime | None = None
    sweep_due_at: datetime | None = None
    incoming_removed_at: datetime | None = None
    request_id: str | None = None
    traceparent: str | None = None
    version: int = 0

    @property
    def incoming_key(self) -> str:
        """Where a browser may store the file."""
        return f"incoming/{self.id}"

    @property
    def key(self) -> str:
        """Where the verified file is kept."""
        return f"documents/{self.id}"

    def verify(self, *, content_type: str, etag: str, statement: str, at: datetime, scanner: bool) -> None:
        """The file is what was announced and of a type that is taken.

        Args:
            scanner: whether a malware scanner is configured.
        """
        self.state = "verified"
        self.content_type, self.etag, self.statement, self.verified_at = content_type, etag, statement, at
        if scanner:
            self.scan, self.scan_due_at = "pending", at
        else:
            self.scan = "not_scanned"
            self.version += 1

    def refuse(self, code: str) -> None:
        """The file is not taken."""
        self.state, self.refusal = "refused", code

    def expire(self) -> None:
        """No file came while the form was valid."""
        self.state, self.refusal = "expired", "upload_missing"

    def scanned(self, outcome: Scan, *, signature: str | None, at: datetime) -> None:
        """The malware scan ended."""
        self.scan, self.scan_signature, self.scanned_at, self.scan_due_at = outcome, signature, at, None
        self.version += 1

    def check_served(self) -> None:
        """Whether the file may be given out to its owner.

        Raises:
            NotServed: it is being checked, or it is infected, or it is not there.
        """
        if self.state != "verified":
            raise NotServed("document_not_ready")
        if self.scan == "pending":
            raise NotServed("scan_pending")
        if self.scan == "infected":
            raise NotServed("infected")
