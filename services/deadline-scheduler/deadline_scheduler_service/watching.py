"""What is shown of deadlines; apart from firing, so that it tells when that fails."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from espace.clock import LegalClock
from espace.db.reports import Report
from espace.telemetry.metrics import DEADLINES_AHEAD, DEADLINES_OVERDUE

REMINDER: Final = "reminder"
HOURS: Final = 72
SPAN_HOURS: Final = 6

_OVERDUE = text("SELECT count(*) FROM deadlines WHERE state = 'kept' AND due_at <= :now")
_AHEAD = text("""
    SELECT kind, ceil(extract(epoch FROM at - :now) / 3600 / :span)::int * :span, count(*) FROM (
        SELECT kind, due_at AS at FROM deadlines WHERE state = 'kept'
        UNION ALL SELECT :reminder, remind_at FROM reminders WHERE state = 'waiting'
    ) ahead WHERE at > :now AND at <= :now + make_interval(hours => :hours) GROUP BY 1, 2
""")


def watching(clock: LegalClock) -> Report:
    """The report of what is overdue and of what comes."""
    kinds = {REMINDER}

    def report(session: Session) -> None:
        now = clock.now(session)
        DEADLINES_OVERDUE.set(session.execute(_OVERDUE, {"now": now}).scalar_one())
        wish = {"now": now, "span": SPAN_HOURS, "hours": HOURS, "reminder": REMINDER}
        found = {(kind, span): count for kind, span, count in session.execute(_AHEAD, wish)}
        kinds.update(kind for kind, _ in found)
        for kind in kinds:  # zeros too: a span that has become empty shows it
            for span in range(SPAN_HOURS, HOURS + 1, SPAN_HOURS):
                DEADLINES_AHEAD.labels(kind, str(span)).set(found.get((kind, span), 0))

    return report
