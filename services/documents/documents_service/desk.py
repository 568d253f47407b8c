"""What verification, scans and deposits work with, wired once."""

from dataclasses import dataclass

from documents_service.scanner import Scanner
from documents_service.settings import Settings
from documents_service.statements import StatementSigner
from espace.db import Database
from espace.objects import ObjectStore


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The parts around the commands; ``scanner`` is None where none is configured."""

    settings: Settings
    database: Database
    store: ObjectStore
    signer: StatementSigner
    scanner: Scanner | None


def open_desk(settings: Settings, database: Database) -> Desk:
    """The desk that ``settings`` describe."""
    return Desk(
        settings=settings,
        database=database,
        store=ObjectStore(
            inside_url=settings.objects_url,
            public_url=settings.public_url,
            bucket=settings.bucket,
            access_key=settings.objects_access_key,
            secret_key=settings.objects_secret_key,
        ),
        signer=StatementSigner(settings.statement_key),
        scanner=Scanner(settings.clamd_address) if settings.clamd_address else None,
    )
