"""Events to work with: whatever the scheduler reads."""

from uuid import uuid4

from espace.bus import Event

SET = "be.espace.dossier.deadline_set.v1"


def a_fact(type_: str = SET, version: int = 1, *, due_at: str = "2024-10-25T22:00:00Z") -> Event:
    """Of an aggregate of its own; ``due_at`` as RFC 3339."""
    subject = str(uuid4())
    data = {"deadline_id": subject, "kind": "test", "due_at": due_at, "reminders": []}
    return Event(type=type_, subject=subject, version=version, data=data)
