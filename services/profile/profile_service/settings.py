"""What the profile service reads from its environment."""

from dataclasses import dataclass
from typing import ClassVar

from espace.config import ServiceSettings, SettingsError


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """``confirmation_key`` is the secret that confirmation links are derived with; 32 characters at least."""

    client_id: ClassVar[str] = "profile"

    confirmation_key: str

    def __post_init__(self) -> None:
        """Refuse a key that could be guessed."""
        if len(self.confirmation_key) < 32:
            raise SettingsError("ESPACE_CONFIRMATION_KEY: 32 characters at least")
