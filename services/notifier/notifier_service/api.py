"""The citizen's view of the messages sent to them."""

from typing import Any

from espace.http import Blueprint, database, principal
from notifier_service.queries import notifications_of
from notifier_service.schemas import NotificationQuery, NotificationSchema
from notifier_service.tables import Notification

notifications = Blueprint(
    "notifications",
    __name__,
    service="notifier",
    auth="citizen",
    url_prefix="/api/notifier/v1",
    description="What became of each message.",
)


@notifications.get("/notifications")
@notifications.arguments(NotificationQuery, location="query")
@notifications.response(200, NotificationSchema(many=True))
def list_notifications(query: dict[str, Any]) -> list[Notification]:
    """The citizen's own messages, the oldest first; nobody sees another's."""
    with database().session() as session:
        return notifications_of(session, principal().citizen, query.get("dossier_id"))
