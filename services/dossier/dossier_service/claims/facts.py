"""The events about dossiers: facts and ids, no personal data."""

from uuid import UUID

from dossier_service.claims.model import Dossier
from dossier_service.pieces import listing
from espace.bus import Event, rfc3339


def submitted(dossier: Dossier, information_request_id: UUID | None) -> Event:
    """The dossier was deposited. Recorded first: the version is that of the deposit."""
    assert dossier.received_at is not None, "a deposit has its instant"
    return Event(
        type="be.espace.dossier.submitted.v1",
        subject=str(dossier.id),
        version=dossier.version,
        data={
            "dossier_id": str(dossier.id),
            "citizen_id": str(dossier.citizen_id),
            "number": dossier.number,
            "procedure": dossier.procedure,
            "procedure_version": dossier.procedure_version,
            "received_at": rfc3339(dossier.received_at),
            "values_sha256": dossier.values_sha256,
            "content_sha256": dossier.deposited_sha256,
            "documents": listing(dossier.attachments),
            "information_request_id": str(information_request_id) if information_request_id else None,
            **({"synthetic": True} if dossier.synthetic else {}),
        },
    )


def withdrawn(dossier: Dossier) -> Event:
    """The citizen took the deposit back."""
    assert dossier.withdrawn_at is not None, "a withdrawal has its instant"
    return Event(
        type="be.espace.dossier.withdrawn.v1",
        subject=str(dossier.id),
        version=dossier.version,
        data={
            "dossier_id": str(dossier.id),
            "citizen_id": str(dossier.citizen_id),
            "number": dossier.number,
            "procedure": dossier.procedure,
            "withdrawn_at": rfc3339(dossier.withdrawn_at),
        },
    )
