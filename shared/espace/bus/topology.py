"""Every name on the broker: exchanges, queues, who consumes what. It exists here and nowhere else."""

from types import MappingProxyType
from typing import Final

EVENTS: Final = "espace.events"
UNROUTABLE: Final = "espace.unroutable"
DEAD: Final = "espace.dead"

SUBSCRIPTIONS: Final = MappingProxyType(
    {
        "dossier": frozenset(
            {
                "be.espace.deadline.expired.v1",
                "be.espace.deadline.reminder_due.v1",
                "be.espace.document.scanned.v1",
            }
        ),
        "documents": frozenset(
            {"be.espace.dossier.submitted.v1", "be.espace.dossier.information_provided.v1"}
        ),
        "notifier": frozenset(
            {
                "be.espace.profile.email_confirmation_requested.v1",
                "be.espace.dossier.submitted.v1",
                "be.espace.dossier.information_requested.v1",
                "be.espace.dossier.information_provided.v1",
                "be.espace.dossier.information_request_lapsed.v1",
                "be.espace.dossier.reminder_due.v1",
            }
        ),
        "scheduler": frozenset(
            {"be.espace.dossier.deadline_set.v1", "be.espace.dossier.deadline_withdrawn.v1"}
        ),
    }
)
"""Service → the event types its queue is bound to."""

UNCONSUMED: Final = frozenset({"be.espace.profile.space_confirmed.v1", "be.espace.dossier.withdrawn.v1"})
"""Published, and nobody reads them yet: declared, so that the unroutable queue stays an alarm."""
