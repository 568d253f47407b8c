"""Every metric the programs export, named and labelled once.

Labels hold route templates, event types and outcomes; never an id of a person or a dossier. What the
synthetic citizen does is measured (times, queues, ages) but not counted among what citizens do: see
:attr:`espace.auth.Principal.synthetic`.
"""

from enum import StrEnum
from importlib import metadata
from typing import Any

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, Info, disable_created_metrics

_HTTP = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 5.0, 10.0)  # 1 s and 3 s are promised
_FAST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LATE = (0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3600.0, 86400.0)
_SENDING = (1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 1800.0, 7200.0, 86400.0)  # 120 s are promised


disable_created_metrics()  # type: ignore[no-untyped-call]  # a third of all lines; nobody asks for them


class _Told(Gauge):
    """A gauge without labels that a program exports once it has told something, and not a zero before."""

    def __init__(self, name: str, documentation: str) -> None:
        super().__init__(name, documentation, registry=None)
        self._registered = False

    def set(self, value: float) -> None:
        super().set(value)
        self._register()

    def set_function(self, f: Any) -> None:
        super().set_function(f)
        self._register()

    def _register(self) -> None:
        if not self._registered:
            self._registered = True
            REGISTRY.register(self)


BUILD = Info("espace_build", "The program that runs here.")

# ---- requests: rate, errors, duration
HTTP_DURATION = Histogram(
    "http_server_request_duration_seconds",
    "Time to answer a request.",
    ("method", "route", "status_class"),
    buckets=_HTTP,
)
HTTP_CLIENT_DURATION = Histogram(
    "http_client_request_duration_seconds",
    "Time another service took to answer.",
    ("audience", "status_class"),
    buckets=_FAST,
)

# ---- the database of one's own
DB_POOL_IN_USE = _Told("espace_db_pool_in_use", "Database connections in use.")
DB_POOL_SIZE = _Told("espace_db_pool_size", "Database connections at most.")
DB_SIZE = _Told("espace_db_size_bytes", "Size of the program's database.")
DB_CONNECTIONS = _Told("espace_db_connections", "Connections to the program's database, everyone's.")
CLOCK_OFFSET = _Told("espace_clock_offset_seconds", "The database's clock minus the program's.")

# ---- the bus
OUTBOX_UNPUBLISHED = _Told("espace_outbox_unpublished", "Events recorded and not yet confirmed.")
OUTBOX_OLDEST_AGE = _Told("espace_outbox_oldest_age_seconds", "Age of the oldest unpublished event.")
EVENTS_PUBLISHED = Counter("espace_events_published_total", "Events confirmed by the broker.", ("type",))
INBOX_NEWEST = _Told("espace_inbox_newest_timestamp_seconds", "When an event was last applied.")
CONSUMER_DURATION = Histogram(
    "espace_consumer_duration_seconds", "Time to handle an event.", ("queue", "outcome"), buckets=_FAST
)
CONSUMER_REDELIVERED = Counter(
    "espace_consumer_redelivered_total", "Events that were delivered again.", ("queue",)
)
CONSUMER_IN_HAND = Gauge("espace_consumer_in_hand", "Events taken and not yet settled.", ("queue",))
CONSUMER_OLDEST_WORK = Gauge(
    "espace_consumer_oldest_work_seconds", "How long the longest running handler has run.", ("queue",)
)
OUTSIDER_OLDEST_AGE = Gauge(
    "espace_outsider_oldest_age_seconds",
    "Age of the oldest event that an outsider has no room for.",
    ("outsider",),
)
DEAD_LETTERS = Gauge("espace_dead_letters", "Events that wait for a person.", ("queue",))

# ---- loops
LOOP_LAST_TICK = Gauge("espace_loop_last_tick_timestamp_seconds", "Last turn of a loop.", ("loop",))
LOOP_ERRORS = Counter("espace_loop_errors_total", "Turns of a loop that failed.", ("loop",))
LOOP_BACKLOG = Gauge("espace_loop_backlog", "Work a loop has before it.", ("loop",))
LOOP_OLDEST_AGE = Gauge("espace_loop_oldest_age_seconds", "Age of a loop's oldest work.", ("loop",))
LAST_SUCCESS = Gauge(
    "espace_last_success_timestamp_seconds", "Last time a periodic job did its work.", ("job",)
)
LEADER = Gauge("espace_loop_leader", "1 where this process leads the loop.", ("loop",))

# ---- what citizens do
LOGINS = Counter("espace_logins_total", "Logins.", ("method", "level", "outcome"))
JOURNEY_STEPS = Counter(
    "espace_journey_steps_total",
    "Steps of a dossier on its way to the deposit; one that is gone back to counts again.",
    ("procedure", "step"),
)
SUBMISSIONS = Counter("espace_submissions_total", "Deposits.", ("procedure", "outcome"))


class Step(StrEnum):
    """The steps of a journey, in their order; values and pieces are counted at the first of a dossier."""

    OPENED = "opened"
    VALUES_SAVED = "values_saved"
    VALIDATED = "validated"
    PIECE_ADDED = "piece_added"
    CONFIRM_PAGE = "confirm_page"
    SUBMITTED = "submitted"


# ---- deadlines
DEADLINES_OVERDUE = _Told("espace_deadlines_overdue", "Deadlines that are due and not fired.")
DEADLINES_AHEAD = Gauge(
    "espace_deadlines_ahead",
    "What falls due in the next 72 hours, by spans of six hours named by their end.",
    ("kind", "within_hours"),
)
DEADLINE_LATENESS = Histogram(
    "espace_deadline_lateness_seconds", "Time between a deadline and its firing.", buckets=_LATE
)

# ---- messages
NOTIFICATIONS = Counter(
    "espace_notifications_total", "Messages by what became of them.", ("channel", "template", "status")
)
NOTIFICATIONS_PENDING = Gauge(
    "espace_notifications_pending", "Messages that still have to be sent.", ("template", "state")
)
NOTIFICATION_OLDEST_PENDING = Gauge(
    "espace_notification_oldest_pending_seconds",
    "Time since the fact that the oldest unsent message tells.",
    ("template",),
)
NOTIFICATION_DELAY = Histogram(
    "espace_notification_delay_seconds",
    "Time between a fact and the mail server's taking of the message about it.",
    ("template",),
    buckets=_SENDING,
)

# ---- files
UPLOADS = Counter("espace_uploads_total", "Uploads by what became of them.", ("outcome",))
UPLOAD_SCAN = Histogram("espace_upload_scan_seconds", "Time to scan a file.", buckets=_LATE)
SCANS = Counter("espace_scans_total", "Ended malware scans.", ("outcome",))
SCANNER_UP = _Told("espace_scanner_up", "Whether the malware scanner answers; absent without one.")

# ---- the synthetic citizen
SYNTHETIC_JOURNEYS = Counter(
    "espace_synthetic_journeys_total", "Journeys of the synthetic citizen.", ("outcome",)
)
SYNTHETIC_STEP = Histogram(
    "espace_synthetic_step_seconds", "Time a step of the synthetic citizen took.", ("step",), buckets=_SENDING
)


def describe(service: str, role: str) -> None:
    """Fill the info metric."""
    BUILD.info({"service": service, "role": role, "version": metadata.version("espace")})


def expect_failures(method: str, route: str) -> None:
    """Have the failures of a route exist at zero: the first one can then be seen as a change."""
    HTTP_DURATION.labels(method, route, "5xx")
