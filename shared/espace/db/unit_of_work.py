"""One transaction: what a use case changes and the events it records, together or not at all."""

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from espace.bus.event import Event
from espace.db.tables import event_log, outbox
from espace.telemetry import request_id, traceparent

# Made once: building and keying the statement took longer than running it.
_LOGGED = (
    insert(event_log)
    .values({c.name: bindparam(c.name, type_=c.type) for c in event_log.c if c.name != "position"})
    .returning(event_log.c.position)
    .cte("logged")
)
_PUBLISH = insert(outbox).from_select(["position"], select(_LOGGED.c.position))


class UnitOfWork:
    """What a use case works with; whoever opened it commits at its normal end.

    Attributes:
        session: the ORM session of the transaction.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self._events: list[Event] = []

    @property
    def events(self) -> tuple[Event, ...]:
        """What was recorded and not yet written."""
        return tuple(self._events)

    def record(self, event: Event) -> None:
        """Publish ``event`` if, and only if, this transaction commits.

        The rows are written at the end, after the state: the aggregate's row lock is then already held,
        which keeps the events of one aggregate in the order of its versions.
        """
        self._events.append(event)

    def flush(self) -> None:
        """Write the pending state, then the pending events."""
        self.session.flush()
        for event in self._events:
            self.session.connection().execute(
                _PUBLISH,
                {
                    "id": event.id,
                    "type": event.type,
                    "subject": event.subject,
                    "version": event.version,
                    "time": event.time,
                    "data": dict(event.data),
                    "request_id": request_id(),
                    "traceparent": traceparent(),
                },
            )
        self._events.clear()
