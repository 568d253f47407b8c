"""Which event asks for which message. The notifier publishes nothing."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from espace.bus import Incoming
from espace.bus.consumer import Handler
from espace.db import UnitOfWork
from espace.errors import PermanentError
from notifier_service.commands import request_notification
from notifier_service.model import Template

MESSAGES: Final[Mapping[str, Template]] = MappingProxyType(
    {
        "be.espace.profile.email_confirmation_requested.v1": Template.SPACE_CONFIRMATION,
        "be.espace.dossier.submitted.v1": Template.RECEIPT,
        "be.espace.dossier.information_requested.v1": Template.DRC_OPENED,
        "be.espace.dossier.reminder_due.v1": Template.DRC_REMINDER,
        "be.espace.dossier.information_provided.v1": Template.DRC_ANSWERED,
        "be.espace.dossier.information_request_lapsed.v1": Template.DRC_LAPSED,
    }
)


def handle(unit: UnitOfWork, event: Incoming) -> None:
    """Ask for the event's message. Each event is a message of its own, so order does not matter here.

    Raises:
        PermanentError: the event names no recipient.
    """
    try:
        recipient = UUID(event.data["citizen_id"])
        about = event.data.get("dossier_id")
        dossier = UUID(about) if about else None
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise PermanentError(f"{event.type} without a usable recipient or dossier") from error
    request_notification(
        unit,
        MESSAGES[event.type],
        event_id=event.id,
        since=event.time,
        recipient_id=recipient,
        dossier_id=dossier,
        facts=event.data,
        request_id=event.request_id,
    )


HANDLERS: Final[Mapping[str, Handler]] = MappingProxyType(dict.fromkeys(MESSAGES, handle))
