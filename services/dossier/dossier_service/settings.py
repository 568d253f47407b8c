"""The service's settings."""

from dataclasses import dataclass
from typing import ClassVar

from espace.auth.signing import Signer
from espace.config import ServiceSettings, SettingsError


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """``documents_url`` is where the keys of documents' statements are published, an inside address.

    ``event_key`` holds one or more private EC keys (PEM, P-256): the first signs what outsiders are told, all
    are published.
    """

    client_id: ClassVar[str] = "dossier"

    documents_url: str
    event_key: str

    def __post_init__(self) -> None:
        try:
            Signer(self.event_key)
        except ValueError as error:
            raise SettingsError(f"ESPACE_EVENT_KEY: {error}") from error
