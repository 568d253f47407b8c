"""What the environment tells the scheduler."""

from dataclasses import dataclass

from espace.config import ServiceSettings


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """Nothing beyond what every service needs."""
