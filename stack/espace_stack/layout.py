"""Which programs there are, how they are called and whom they call. The only list of them."""

from dataclasses import dataclass
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

SYNTHETIC: Final = ("synthetic", "synthetic_citizen")
"""The synthetic citizen: a client like any other, through the gateway alone."""

CALLS: Final = MappingProxyType(
    {
        "identity": (),
        "profile": ("identity",),
        "dossier": ("identity", "documents"),
        "documents": ("identity", "dossier"),
        "notifier": ("identity", "profile", "dossier"),
        "scheduler": ("identity",),
        "web": ("identity", "profile", "dossier", "documents", "notifier", "scheduler"),
    }
)
"""Service → the services whose API it calls; everyone asks identity for its keys."""

SPEAK_AMQP: Final = ("profile", "dossier", "documents", "notifier", "scheduler")
"""The services whose workers speak with the broker."""

IMAGES: Final = MappingProxyType(
    {
        **{name: (f"services/{name}", package) for name, package in SERVICES.items()},
        "scheduler": ("services/deadline-scheduler", SERVICES["scheduler"]),
        "web": WEB,
        "synthetic": SYNTHETIC,
        "simulator": ("stack/simulator", "login_simulator"),
        "stack": ("stack", "espace_stack"),
    }
)
"""Image → the folder it is made of and the package it runs."""


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
    """Every program of ours that a platform runs: two roles of each service, and the pages."""
    found = [
        ProgramName(name, package, role) for name, package in SERVICES.items() for role in ("api", "worker")
    ]
    return [*found, ProgramName(*WEB, "api")]
