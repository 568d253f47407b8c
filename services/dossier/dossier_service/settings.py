"""The service's settings."""

from dataclasses import dataclass
from typing import ClassVar

from espace.config import ServiceSettings


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """``documents_url`` is where the keys of documents' statements are published, an inside address."""

    client_id: ClassVar[str] = "dossier"

    documents_url: str
