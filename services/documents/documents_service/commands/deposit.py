"""A deposit: its documents are kept for good, and a sealed manifest lists them with their hashes."""

import json
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from documents_service.desk import Desk
from documents_service.model.document import Document
from documents_service.statements import StatementSigner
from documents_service.tables import Manifest, documents, manifests
from espace.bus import Incoming, rfc3339
from espace.bus.consumer import Handler
from espace.clock import utcnow
from espace.db import UnitOfWork
from espace.telemetry import caused_by, get_logger, request_id, traceparent, tracing

log = get_logger()
SUBMITTED: Final = "be.espace.dossier.submitted.v1"
INFORMATION_PROVIDED: Final = "be.espace.dossier.information_provided.v1"


def handlers(signer: StatementSigner) -> Mapping[str, Handler]:
    """Which event calls which command."""
    keep = partial(keep_deposit, signer)
    return {SUBMITTED: keep, INFORMATION_PROVIDED: keep}


def keep_deposit(signer: StatementSigner, unit: UnitOfWork, event: Incoming) -> None:
    """Mark the documents of a deposit and make its manifest, which a loop writes to the store.

    Deposits are facts: the order they are told in does not matter, and a repeat changes nothing. Those of the
    synthetic citizen, which are hundreds a day, leave nothing in the store.
    """
    if event.data.get("synthetic") is True:
        return
    listed = event.data["documents"]
    ids = sorted(uuid.UUID(entry["document_id"]) for entry in listed)
    held = {
        document.id: document
        for document in unit.session.scalars(
            select(Document).where(documents.c.id.in_(ids)).order_by(documents.c.id).with_for_update()
        )
    }
    for document in held.values():
        document.deposited_at = document.deposited_at or event.time
    manifest = _manifest(event, held)
    body = json.dumps(
        {"manifest": manifest, "seal": signer.seal(manifest)}, ensure_ascii=False, indent=2, sort_keys=True
    )
    unit.session.execute(
        insert(manifests)
        .values(
            event_id=event.id,
            dossier_id=uuid.UUID(event.data["dossier_id"]),
            body=body,
            request_id=request_id(),
            traceparent=traceparent(),
        )
        .on_conflict_do_nothing()
    )


def write_manifest(desk: Desk) -> bool:
    """Write the oldest manifest that is not in the store yet; whether there may be another one."""
    with desk.database.session() as session:
        due = session.scalars(
            select(Manifest).where(manifests.c.written_at.is_(None)).order_by(manifests.c.created_at).limit(2)
        ).all()
    if not due:
        return False
    manifest = due[0]
    with caused_by(manifest.request_id, manifest.traceparent), tracing.span("write manifest"):
        desk.store.put(manifest.key, manifest.body.encode(), content_type="application/json")
        with desk.database.transaction() as unit:
            unit.session.get_one(Manifest, manifest.event_id, with_for_update=True).written_at = utcnow()
        log.info("deposit.sealed", dossier_id=str(manifest.dossier_id), event_id=str(manifest.event_id))
    return len(due) > 1


def _manifest(event: Incoming, held: Mapping[uuid.UUID, Document]) -> dict[str, Any]:
    facts = {name: value for name, value in event.data.items() if name not in ("documents", "citizen_id")}
    return {
        **facts,
        "event_id": str(event.id),
        "event_type": event.type,
        "event_time": rfc3339(event.time),
        "documents": [
            _entry(entry, held.get(uuid.UUID(entry["document_id"]))) for entry in event.data["documents"]
        ],
    }


def _entry(entry: Mapping[str, Any], document: Document | None) -> dict[str, Any]:
    """One document as the deposit names it, and whether it is the one that is held here."""
    same = (
        document is not None
        and document.state == "verified"
        and document.sha256 == entry["sha256"]
        and document.size == entry["size"]
    )
    if not same:
        log.error("deposit.document_differs", document_id=entry["document_id"])
    return {
        **{name: entry[name] for name in ("document_id", "slot", "sha256", "size")},
        "content_type": document.content_type if document else None,
        "key": document.key if document else None,
        "held": same,
    }
