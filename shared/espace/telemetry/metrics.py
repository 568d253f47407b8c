"""Every metric the programs export, named and labelled once.

Labels hold route templates, event types and outcomes; never an id of a person or a dossier.
"""

from importlib import metadata

from prometheus_client import Counter, Gauge, Histogram, Info

_FAST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LATE = (0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 3600.0, 86400.0)

BUILD = Info("espace_build", "The program that runs here.")

HTTP_DURATION = Histogram(
    "http_server_request_duration_seconds",
    "Time to answer a request.",
    ("method", "route", "status_class"),
    buckets=_FAST,
)
HTTP_CLIENT_DURATION = Histogram(
    "http_client_request_duration_seconds",
    "Time another service took to answer.",
    ("audience", "status_class"),
    buckets=_FAST,
)
DB_POOL_IN_USE = Gauge("espace_db_pool_in_use", "Database connections in use.")

OUTBOX_UNPUBLISHED = Gauge("espace_outbox_unpublished", "Events recorded and not yet confirmed.")
OUTBOX_OLDEST_AGE = Gauge("espace_outbox_oldest_age_seconds", "Age of the oldest unpublished event.")
EVENTS_PUBLISHED = Counter("espace_events_published_total", "Events confirmed by the broker.", ("type",))
CONSUMER_DURATION = Histogram(
    "espace_consumer_duration_seconds", "Time to handle an event.", ("queue", "outcome"), buckets=_FAST
)
CONSUMER_REDELIVERED = Counter(
    "espace_consumer_redelivered_total", "Events that were delivered again.", ("queue",)
)
DEAD_LETTERS = Gauge("espace_dead_letters", "Events that wait for a person.", ("queue",))

LOOP_LAST_TICK = Gauge("espace_loop_last_tick_timestamp_seconds", "Last turn of a loop.", ("loop",))
LOOP_ERRORS = Counter("espace_loop_errors_total", "Turns of a loop that failed.", ("loop",))
LOOP_BACKLOG = Gauge("espace_loop_backlog", "Work a loop has before it.", ("loop",))
LOOP_OLDEST_AGE = Gauge("espace_loop_oldest_age_seconds", "Age of a loop's oldest work.", ("loop",))
LAST_SUCCESS = Gauge(
    "espace_last_success_timestamp_seconds", "Last time a periodic job did its work.", ("job",)
)
LEADER = Gauge("espace_loop_leader", "1 where this process leads the loop.", ("loop",))

SUBMISSIONS = Counter("espace_submissions_total", "Deposits.", ("procedure", "outcome"))
DEADLINES_OVERDUE = Gauge("espace_deadlines_overdue", "Deadlines that are due and not fired.")
DEADLINE_LATENESS = Histogram(
    "espace_deadline_lateness_seconds", "Time between a deadline and its firing.", buckets=_LATE
)
NOTIFICATIONS = Counter(
    "espace_notifications_total", "Messages by what became of them.", ("channel", "template", "status")
)
NOTIFICATION_OLDEST_PENDING = Gauge(
    "espace_notification_oldest_pending_seconds", "Age of the oldest message that was not sent."
)
UPLOAD_SCAN = Histogram("espace_upload_scan_seconds", "Time to scan a file.", buckets=_LATE)
UPLOADS = Counter("espace_uploads_total", "Uploads by what became of them.", ("outcome",))
LOGINS = Counter("espace_logins_total", "Logins.", ("method", "level", "outcome"))


def describe(service: str, role: str) -> None:
    """Fill the info metric."""
    BUILD.info({"service": service, "role": role, "version": metadata.version("espace")})
