"""Grafana's dashboards as code: ``python -m espace_stack.dashboards`` writes ``deploy/grafana/dashboards``.

Each answers one question, from left to right and from top to bottom: is it well, since when not, why.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from espace_stack.layout import ROOT

FOLDER: Final = ROOT / "deploy" / "grafana" / "dashboards"
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
WIDTH: Final = 24


@dataclass(frozen=True)
class Panel:
    """One picture.

    Attributes:
        queries: PromQL to legend.
        unit: Grafana's name of it.
        kind: ``timeseries``, ``stat``, ``bargauge`` or ``table``.
        red_from: where it turns red, if somewhere; with ``green_from`` the other way round.
    """

    title: str
    description: str
    queries: dict[str, str]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    red_from: float | None = None
    green_from: float | None = None

    def json(self, number: int, x: int, y: int) -> dict[str, Any]:
        """As Grafana keeps it."""
        steps: list[dict[str, str | float | None]] = [{"color": "green", "value": None}]
        if self.red_from is not None:
            steps.append({"color": "red", "value": self.red_from})
        if self.green_from is not None:
            steps = [{"color": "red", "value": None}, {"color": "green", "value": self.green_from}]
        now = self.kind != "timeseries"
        targets = [
            {
                "datasource": SOURCE,
                "expr": query,
                "legendFormat": legend,
                "refId": chr(ord("A") + place),
                "instant": now,
                "range": not now,
                **({"format": "table"} if self.kind == "table" else {}),
            }
            for place, (query, legend) in enumerate(self.queries.items())
        ]
        thresholds = {"mode": "absolute", "steps": steps}
        custom: dict[str, Any] = {}
        if self.kind == "timeseries":
            shown = "line" if self.red_from is not None else "off"
            custom = {"custom": {"fillOpacity": 10, "thresholdsStyle": {"mode": shown}}}
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": SOURCE,
            "gridPos": {"h": 5 if self.kind == "stat" else 8, "w": self.width, "x": x, "y": y},
            "fieldConfig": {
                "defaults": {"unit": self.unit, "thresholds": thresholds, "min": 0, **custom},
                "overrides": [],
            },
            "options": {"legend": {"displayMode": "list", "placement": "bottom"}} if custom else {},
            "targets": targets,
        }


@dataclass(frozen=True)
class Dashboard:
    """One question. ``variables``: name to the query of its values."""

    uid: str
    title: str
    description: str
    panels: tuple[Panel, ...]
    variables: dict[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """As Grafana keeps it."""
        placed, x, y, tallest = [], 0, 0, 0
        for number, panel in enumerate(self.panels, 1):
            if x + panel.width > WIDTH:
                x, y, tallest = 0, y + tallest, 0
            made = panel.json(number, x, y)
            placed.append(made)
            x, tallest = x + panel.width, max(tallest, made["gridPos"]["h"])
        source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}
        others = [
            {
                "name": name,
                "label": name.capitalize(),
                "type": "query",
                "datasource": SOURCE,
                "query": {"query": query, "refId": name},
                "refresh": 2,
                "sort": 1,
                "includeAll": True,
                "multi": True,
                "current": {"text": "All", "value": "$__all"},
            }
            for name, query in self.variables.items()
        ]
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["espace"],
            "editable": False,
            "refresh": "30s",
            "time": {"from": "now-6h", "to": "now"},
            "timezone": "Europe/Brussels",
            "schemaVersion": 41,
            "templating": {"list": [source, *others]},
            "panels": placed,
        }


_SUBMIT = (
    'method="POST",route=~"/dossiers/<uuid:dossier_id>/verification'
    '|/api/dossier/v1/dossiers/<uuid:dossier_id>/submission"'
)
_STEPS = ("opened", "values_saved", "validated", "piece_added", "confirm_page", "submitted")
_QUEUES = 'queue!~".+[.](dead|retry[.][0-9]+)|espace[.]unroutable|outside[.].+"'
_JOB = 'job=~"$job"'

OVERVIEW = Dashboard(
    "espace-overview",
    "Overview",
    "Are citizens able to file, now?",
    (
        Panel(
            "Citizens can file",
            "1 while the synthetic citizen filed within a quarter of an hour and deposits do not fail.",
            {"espace:filing_possible:bool": "filing possible"},
            "bool_yes_no",
            "stat",
            6,
            green_from=1,
        ),
        Panel(
            "Last synthetic deposit",
            "Time since the platform last filed a dossier with itself; it does so every five minutes.",
            {'time() - max(espace_last_success_timestamp_seconds{exported_job="synthetic"})': "ago"},
            "s",
            "stat",
            6,
            red_from=900,
        ),
        Panel(
            "Alerts that fire",
            "Their runbooks are in docs/operations/alerts.",
            {'count(ALERTS{alertstate="firing"}) or vector(0)': "alerts"},
            "short",
            "stat",
            6,
            red_from=1,
        ),
        Panel(
            "Dead letters",
            "Events that wait for a person: `dead-letters list` of the service shows them.",
            {'sum(rabbitmq_detailed_queue_messages{queue=~".+[.]dead"}) or vector(0)': "events"},
            "short",
            "stat",
            6,
            red_from=1,
        ),
        Panel(
            "Deposits",
            "Deposits a minute by what became of them; the synthetic citizen's are not among them.",
            {"sum by (outcome) (rate(espace_submissions_total[$__rate_interval])) * 60": "{{outcome}}"},
            "short",
            width=12,
        ),
        Panel(
            "« Confirmer »: time to the answer",
            "Three seconds are promised.",
            {
                f"histogram_quantile(0.{share}, sum by (le) (rate("
                f"http_server_request_duration_seconds_bucket{{{_SUBMIT}}}[$__rate_interval])))": f"p{share}"
                for share in (50, 95, 99)
            },
            "s",
            width=12,
            red_from=3,
        ),
        Panel(
            "Share of failures at the gateway",
            "Answers 5xx among all that came from outside.",
            {
                '(sum(rate(traefik_entrypoint_requests_total{entrypoint="web",code=~"5.."}'
                "[$__rate_interval])) or vector(0)) / "
                'sum(rate(traefik_entrypoint_requests_total{entrypoint="web"}[$__rate_interval]))': "5xx"
            },
            "percentunit",
            red_from=0.05,
        ),
        Panel(
            "Logins",
            "Logins a minute by what became of them.",
            {"sum by (outcome) (rate(espace_logins_total[$__rate_interval])) * 60": "{{outcome}}"},
        ),
        Panel(
            "Promises kept",
            "Share of the last hour that broke each promise; above the line an error budget burns fast.",
            {"slo:error_ratio:1h": "{{slo}}"},
            "percentunit",
        ),
        Panel(
            "Programs that answer",
            "Instances of each program whose metrics could be read.",
            {"sum by (job) (up)": "{{job}}"},
            width=24,
        ),
    ),
)

JOURNEYS = Dashboard(
    "espace-journeys",
    "Journeys",
    "How far do citizens come, and where do they give up?",
    (
        Panel(
            "From opening to deposit, last day",
            "Dossiers that reached each step within a day.",
            {
                f'sum(increase(espace_journey_steps_total{{step="{step}"}}[1d])) or vector(0)': step
                for step in _STEPS
            },
            kind="bargauge",
            width=12,
        ),
        Panel(
            "Steps",
            "Steps a minute.",
            {"sum by (step) (rate(espace_journey_steps_total[$__rate_interval])) * 60": "{{step}}"},
            width=12,
        ),
        Panel(
            "Share that is deposited, by procedure",
            "Deposits for each opened dossier, over six hours.",
            {
                'sum by (procedure) (increase(espace_journey_steps_total{step="submitted"}[6h])) / '
                'sum by (procedure) (increase(espace_journey_steps_total{step="opened"}[6h]))': (
                    "{{procedure}}"
                )
            },
            "percentunit",
            width=12,
        ),
        Panel(
            "Deposits refused",
            "Refusals a minute by reason: a wave of one reason is a question for the form, not for duty.",
            {
                'sum by (outcome) (rate(espace_submissions_total{outcome!="accepted"}'
                "[$__rate_interval])) * 60": ("{{outcome}}")
            },
            width=12,
        ),
        Panel(
            "Logins by means",
            "Logins that went well a minute.",
            {
                'sum by (method) (rate(espace_logins_total{outcome="succeeded"}[$__rate_interval])) * 60': (
                    "{{method}}"
                )
            },
            width=12,
        ),
        Panel(
            "Steps of the synthetic citizen",
            "How long each takes at the median: what a citizen waits for.",
            {
                "histogram_quantile(0.5, sum by (le, step) "
                "(rate(espace_synthetic_step_seconds_bucket[$__rate_interval])))": "{{step}}"
            },
            "s",
            width=12,
        ),
    ),
)

BUS = Dashboard(
    "espace-bus",
    "Bus",
    "Do events get from where they happen to everyone who needs them?",
    (
        Panel(
            "Oldest unpublished event",
            "Events recorded with their fact, not yet with the broker.",
            {"max by (job) (espace_outbox_oldest_age_seconds)": "{{job}}"},
            "s",
            red_from=300,
        ),
        Panel(
            "Published",
            "Events a minute that the broker has confirmed.",
            {"sum by (type) (rate(espace_events_published_total[$__rate_interval])) * 60": "{{type}}"},
        ),
        Panel(
            "Handled",
            "Events a minute by outcome.",
            {
                "sum by (queue, outcome) "
                "(rate(espace_consumer_duration_seconds_count[$__rate_interval])) * 60": (
                    "{{queue}} {{outcome}}"
                )
            },
        ),
        Panel(
            "Messages in queues",
            "What waits for its reader.",
            {f"max by (queue) (rabbitmq_detailed_queue_messages{{{_QUEUES}}})": "{{queue}}"},
            red_from=100,
        ),
        Panel(
            "Retries and dead letters",
            "What waits to be tried again, and what waits for a person.",
            {
                'max by (queue) (rabbitmq_detailed_queue_messages{queue=~".+[.](dead|retry[.][0-9]+)"})': (
                    "{{queue}}"
                )
            },
        ),
        Panel(
            "Readers",
            "Consumers of each queue; none means that nothing is handled.",
            {f"max by (queue) (rabbitmq_detailed_queue_consumers{{{_QUEUES}}})": "{{queue}}"},
        ),
        Panel(
            "Time to handle",
            "p95 of a handler with its transaction.",
            {
                "histogram_quantile(0.95, sum by (le, queue) "
                "(rate(espace_consumer_duration_seconds_bucket[$__rate_interval])))": "{{queue}}"
            },
            "s",
        ),
        Panel(
            "Delivered again",
            "Redeliveries a minute: after a crash, or a connection that broke.",
            {"sum by (queue) (rate(espace_consumer_redelivered_total[$__rate_interval])) * 60": "{{queue}}"},
        ),
        Panel(
            "Other administrations behind",
            "Age of the oldest event for which an administration's queue has no room.",
            {"max by (outsider) (espace_outsider_oldest_age_seconds)": "{{outsider}}"},
            "s",
            red_from=86400,
        ),
        Panel(
            "The broker's memory",
            "RabbitMQ holds publishers back at its limit.",
            {"rabbitmq_process_resident_memory_bytes": "{{instance}}"},
            "bytes",
        ),
    ),
)

DEADLINES = Dashboard(
    "espace-deadlines",
    "Deadlines",
    "Does every deadline fire at its instant, and what is ahead?",
    (
        Panel(
            "Overdue",
            "Deadlines that are over and have not been fired.",
            {"max(espace_deadlines_overdue)": "overdue"},
            "short",
            "stat",
            6,
            red_from=1,
        ),
        Panel(
            "Lateness, p99",
            "Between the instant and the firing; a minute is promised.",
            {
                "histogram_quantile(0.99, sum by (le) "
                "(increase(espace_deadline_lateness_seconds_bucket[6h])))": "p99"
            },
            "s",
            "stat",
            6,
            red_from=60,
        ),
        Panel(
            "The next 72 hours",
            "What falls due, by spans of six hours named by their end.",
            {"max by (kind, within_hours) (espace_deadlines_ahead)": "{{kind}} {{within_hours}} h"},
            kind="bargauge",
            width=12,
        ),
        Panel(
            "Fired",
            "Deadlines and reminders fired a minute.",
            {"sum(rate(espace_deadline_lateness_seconds_count[$__rate_interval])) * 60": "fired"},
            width=12,
        ),
        Panel(
            "Clocks",
            "The database's clock minus the program's; the database's decides.",
            {"max by (job) (espace_clock_offset_seconds)": "{{job}}"},
            "s",
            width=12,
        ),
    ),
)

DOCUMENTS = Dashboard(
    "espace-documents",
    "Documents",
    "Are files taken, verified, scanned and kept?",
    (
        Panel(
            "Uploads",
            "Uploads a minute by what became of them.",
            {"sum by (outcome) (rate(espace_uploads_total[$__rate_interval])) * 60": "{{outcome}}"},
        ),
        Panel(
            "Scans",
            "Malware scans a minute by outcome.",
            {"sum by (outcome) (rate(espace_scans_total[$__rate_interval])) * 60": "{{outcome}}"},
        ),
        Panel(
            "Scanner",
            "Whether the malware scanner answers; empty where there is none.",
            {"max(espace_scanner_up)": "scanner"},
            "bool_yes_no",
            "stat",
            green_from=1,
        ),
        Panel(
            "Work that waits",
            "Scans, manifests and sweeps before their loops.",
            {'max by (loop) (espace_loop_backlog{job="documents-worker"})': "{{loop}}"},
            width=12,
        ),
        Panel(
            "Oldest work",
            "How long the oldest of it waits.",
            {'max by (loop) (espace_loop_oldest_age_seconds{job="documents-worker"})': "{{loop}}"},
            "s",
            width=12,
            red_from=1800,
        ),
    ),
)

NOTIFICATIONS = Dashboard(
    "espace-notifications",
    "Notifications",
    "Does every message leave in time?",
    (
        Panel(
            "Oldest unsent message",
            "Time since the fact that it tells.",
            {"max by (template) (espace_notification_oldest_pending_seconds)": "{{template}}"},
            "s",
            red_from=600,
        ),
        Panel(
            "Waiting",
            "Messages that still have to be sent.",
            {"sum by (template, state) (espace_notifications_pending)": "{{template}} {{state}}"},
        ),
        Panel(
            "Messages",
            "Messages a minute by what became of them.",
            {
                "sum by (template, status) (rate(espace_notifications_total[$__rate_interval])) * 60": (
                    "{{template}} {{status}}"
                )
            },
        ),
        Panel(
            "From the fact to the mail server",
            "p95 by message; two minutes are promised for the receipt.",
            {
                "histogram_quantile(0.95, sum by (le, template) "
                "(rate(espace_notification_delay_seconds_bucket[$__rate_interval])))": "{{template}}"
            },
            "s",
            width=24,
            red_from=120,
        ),
    ),
)

SERVICE = Dashboard(
    "espace-service",
    "Any service",
    "Rate, errors and duration of the chosen programs, and what they stand on.",
    (
        Panel(
            "Requests",
            "Requests a second.",
            {
                "sum by (job) (rate(http_server_request_duration_seconds_count"
                f"{{{_JOB}}}[$__rate_interval]))": "{{job}}"
            },
            "reqps",
        ),
        Panel(
            "Failures",
            "Answers 5xx a second, by route.",
            {
                "sum by (job, route) (rate(http_server_request_duration_seconds_count"
                f'{{{_JOB},status_class="5xx"}}[$__rate_interval]))': "{{job}} {{route}}"
            },
            "reqps",
        ),
        Panel(
            "Duration",
            "p95 of the time to answer.",
            {
                "histogram_quantile(0.95, sum by (le, job) (rate(http_server_request_duration_seconds_bucket"
                f"{{{_JOB}}}[$__rate_interval])))": "{{job}}"
            },
            "s",
            red_from=1,
        ),
        Panel(
            "Slowest routes",
            "Mean time to answer over the last hour, the ten longest.",
            {
                "topk(10, sum by (job, method, route) (rate(http_server_request_duration_seconds_sum"
                f"{{{_JOB}}}[1h])) / sum by (job, method, route) "
                f"(rate(http_server_request_duration_seconds_count{{{_JOB}}}[1h])))": "{{method}} {{route}}"
            },
            "s",
            "table",
            12,
        ),
        Panel(
            "Calls to other services",
            "p95 of the time the other took.",
            {
                "histogram_quantile(0.95, sum by (le, job, audience) "
                f"(rate(http_client_request_duration_seconds_bucket{{{_JOB}}}[$__rate_interval])))": (
                    "{{job}} → {{audience}}"
                )
            },
            "s",
            width=12,
        ),
        Panel(
            "Database connections",
            "In use, of those allowed.",
            {f"max by (job) (espace_db_pool_in_use{{{_JOB}}} / espace_db_pool_size{{{_JOB}}})": "{{job}}"},
            "percentunit",
            red_from=0.85,
        ),
        Panel(
            "Silent loops",
            "Time since each loop's last turn.",
            {
                "max by (job, loop) (time() - "
                f"espace_loop_last_tick_timestamp_seconds{{{_JOB}}})": "{{job}} {{loop}}"
            },
            "s",
            red_from=180,
        ),
        Panel(
            "Memory",
            "Resident, by instance.",
            {f"process_resident_memory_bytes{{{_JOB}}}": "{{job}} {{instance}}"},
            "bytes",
        ),
        Panel(
            "Processor",
            "Cores in use.",
            {f"rate(process_cpu_seconds_total{{{_JOB}}}[$__rate_interval])": "{{job}} {{instance}}"},
            "short",
        ),
    ),
    {"job": "label_values(espace_build_info, job)"},
)

DASHBOARDS: Final = (OVERVIEW, JOURNEYS, BUS, DEADLINES, DOCUMENTS, NOTIFICATIONS, SERVICE)


def text(dashboard: Dashboard) -> str:
    """A dashboard's file."""
    return json.dumps(dashboard.json(), ensure_ascii=False, indent=1) + "\n"


def file_of(dashboard: Dashboard) -> Path:
    """Where it is kept."""
    return FOLDER / f"{dashboard.uid.removeprefix('espace-')}.json"


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for made in DASHBOARDS:
        file_of(made).write_text(text(made))
