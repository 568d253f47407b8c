"""What the documents service reads from its environment."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from documents_service.scanner import Scanner
from espace.auth.signing import Signer
from espace.config import ServiceSettings, SettingsError
from espace.files import LARGEST


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """Beside the common ones: the object store, the scanner, the key of the statements, the limits.

    ``clamd_address`` is ``host:port`` or the path of a Unix socket; without it documents are served and
    said to be "not scanned". ``statement_key`` holds one or more private EC keys (PEM, P-256): the first
    signs, all are published.
    """

    client_id: ClassVar[str] = "documents"

    objects_url: str
    objects_access_key: str
    objects_secret_key: str
    dossier_url: str
    statement_key: str
    bucket: str = "espace-documents"
    clamd_address: str | None = None
    max_upload_bytes: int = LARGEST
    max_files_per_dossier: int = 100
    upload_minutes: int = 30
    vanished_seconds: int = 120
    idle_seconds: float = 2.0

    def __post_init__(self) -> None:
        try:
            Signer(self.statement_key)
        except ValueError as error:
            raise SettingsError(f"ESPACE_STATEMENT_KEY: {error}") from error
        try:
            if self.clamd_address:
                Scanner(self.clamd_address)
        except ValueError as error:
            raise SettingsError(f"ESPACE_CLAMD_ADDRESS: {error}") from error

    @property
    def form_lifetime(self) -> timedelta:
        """How long a signed form can be posted."""
        return timedelta(minutes=self.upload_minutes)
