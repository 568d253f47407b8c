"""Which event calls which command."""

from collections.abc import Mapping
from uuid import UUID

from dossier_service.claims.commands.answering import expire_request, remind_of_request
from dossier_service.information_requests.model import KIND
from dossier_service.scans import note_scan
from espace.bus import Incoming
from espace.bus.consumer import Handler
from espace.clock import LegalClock
from espace.db import UnitOfWork


def handlers(clock: LegalClock) -> Mapping[str, Handler]:
    """The handler of each event type we subscribe to."""

    def on_expired(unit: UnitOfWork, event: Incoming) -> None:
        if _ours(event):
            expire_request(unit, clock, UUID(event.data["deadline_id"]), event.version)

    def on_reminder_due(unit: UnitOfWork, event: Incoming) -> None:
        if _ours(event):
            deadline_id = UUID(event.data["deadline_id"])
            remind_of_request(unit, clock, deadline_id, event.version, int(event.data["days_before"]))

    def on_scanned(unit: UnitOfWork, event: Incoming) -> None:
        note_scan(unit.session, UUID(event.data["document_id"]), str(event.data["outcome"]), event.version)

    return {
        "be.espace.deadline.expired.v1": on_expired,
        "be.espace.deadline.reminder_due.v1": on_reminder_due,
        "be.espace.document.scanned.v1": on_scanned,
    }


def _ours(event: Incoming) -> bool:
    return event.data.get("owner") == "dossier" and event.data.get("kind") == KIND
