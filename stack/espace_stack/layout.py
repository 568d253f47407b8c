"""Which programs there are and how they are called. The only list of them in the stack."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final

ROOT: Final = Path(__file__).parents[2]
BUCKET: Final = "espace-documents"

SERVICES: Final = MappingProxyType(
    {
        "identity": "identity_service",
        "profile": "profile_service",
        "dossier": "dossier_service",
        "documents": "documents_service",
        "notifier": "notifier_service",
        "scheduler": "deadline_scheduler_service",
    }
)
"""Service short name → its package."""

WEB: Final = ("web", "espace_web")


@dataclass(frozen=True)
class ProgramName:
    """A program of ours: ``dossier-api`` is role ``api`` of service ``dossier``."""

    service: str
    package: str
    role: str

    @property
    def name(self) -> str:
        """Its name in the stack."""
        return self.service if self.service == WEB[0] else f"{self.service}-{self.role}"


def programs() -> list[ProgramName]:
    """Every program of ours that the stack starts."""
    found = []
    for service, package in {**SERVICES, WEB[0]: WEB[1]}.items():
        if has_module(package, "__main__"):
            found.append(ProgramName(service, package, "api"))
            if has_module(package, "worker"):
                found.append(ProgramName(service, package, "worker"))
    return found


def has_module(package: str, name: str) -> bool:
    """Whether a package brings a module, without importing it."""
    found = find_spec(package)
    if found is None or found.origin is None:
        return False
    place = Path(found.origin).parent / name
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()
