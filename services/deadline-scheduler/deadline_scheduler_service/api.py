"""The scheduler's routes, for other services."""

from typing import Any
from uuid import UUID

from deadline_scheduler_service import queries, schemas
from espace.http import Blueprint, Problem, database

services = Blueprint("services", __name__, service="scheduler", auth="service", url_prefix="/internal/v1")


@services.get("/deadlines/<uuid:deadline_id>")
@services.response(200, schemas.DeadlineSchema)
def get_deadline(deadline_id: UUID) -> dict[str, Any]:
    """What is known of a deadline, and what became of its reminders."""
    with database().session() as session:
        found = queries.deadline(session, deadline_id)
    if found is None:
        raise Problem(404, "deadline_unknown", "This deadline was never set.")
    return found
