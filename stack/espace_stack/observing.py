"""What Prometheus scrapes: everything that runs, each under the name it has in the stack.

``python -m espace_stack.observing`` writes ``deploy/prometheus/prometheus.yml``, for the containers, and the
rules as a resource of the Prometheus Operator.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from espace_stack.layout import ROOT, SYNTHETIC, programs

FOLDER: Final = ROOT / "deploy" / "prometheus"
OPERATORS_RULES: Final = ROOT / "deploy" / "k8s" / "components" / "monitoring" / "rules.yaml"
INTERVAL: Final = "15s"
QUEUES: Final = {"family": ["queue_coarse_metrics", "queue_consumer_count"]}
"""What RabbitMQ tells of each queue; in the whole of it queues are summed up."""
API_PORT, WORKER_PORT = 8000, 9000
_HEAD = "# Written by `python -m espace_stack.observing`; a test holds it to the programs there are.\n"
_HEAD_OF_RULES = "# Written by `python -m espace_stack.observing` from deploy/prometheus/rules.\n"


def jobs() -> list[str]:
    """Everything of ours that has metrics of its own."""
    return [*(program.name for program in programs()), SYNTHETIC[0], "gateway"]


def configuration(
    discover: Mapping[str, Mapping[str, Any]],
    *,
    rules: str,
    alertmanager: str | None = None,
    interval: str = INTERVAL,
) -> dict[str, Any]:
    """Prometheus's own file.

    Args:
        discover: how each of :func:`jobs`, ``rabbitmq`` and ``postgres`` is found.
        rules: the rules' files.
        alertmanager: whom alerts go to, ``host:port``.
    """
    scraped = [{"job_name": job, **found} for job, found in discover.items()]
    if "rabbitmq" in discover:
        detailed = {"metrics_path": "/metrics/detailed", "params": dict(QUEUES)}
        scraped.append({"job_name": "rabbitmq-queues", **detailed, **discover["rabbitmq"]})
    told = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]} if alertmanager else {}
    return {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [rules],
        "scrape_configs": scraped,
        **({"alerting": told} if told else {}),
    }


def in_containers() -> dict[str, Any]:
    """Every instance that a service's name leads to, however many there are."""
    ports = {program.name: WORKER_PORT if program.role == "worker" else API_PORT for program in programs()}
    names = {job: (job, ports.get(job, WORKER_PORT)) for job in jobs()}
    names |= {
        "gateway": ("gateway", 9100),
        "rabbitmq": ("rabbitmq", 15692),
        "postgres": ("postgres-exporter", 9187),
    }
    discover = {
        job: {"dns_sd_configs": [{"names": [host], "type": "A", "port": port, "refresh_interval": "15s"}]}
        for job, (host, port) in names.items()
    }
    return configuration(discover, rules="/etc/prometheus/rules/*.yml", alertmanager="alertmanager:9093")


def page() -> str:
    """The file for the containers."""
    return _HEAD + yaml.safe_dump(in_containers(), sort_keys=False)


def operators_rules() -> str:
    """All rules as one PrometheusRule."""
    groups = [
        group
        for file in sorted((FOLDER / "rules").glob("*.yml"))
        for group in yaml.safe_load(file.read_text())["groups"]
    ]
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "espace"},
        "spec": {"groups": groups},
    }
    return _HEAD_OF_RULES + yaml.safe_dump(rule, sort_keys=False, allow_unicode=True, width=110)


def on_this_machine(addresses: Mapping[str, str], folder: Path, *, interval: str = INTERVAL) -> str:
    """The file for programs at known addresses (job to ``host:port``)."""
    discover = {job: {"static_configs": [{"targets": [address]}]} for job, address in addresses.items()}
    made = configuration(discover, rules=str(folder / "*.yml"), interval=interval)
    return yaml.safe_dump(made, sort_keys=False)


if __name__ == "__main__":
    (FOLDER / "prometheus.yml").write_text(page())
    OPERATORS_RULES.write_text(operators_rules(), encoding="utf-8")
