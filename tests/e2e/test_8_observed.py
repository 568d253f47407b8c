"""A real Prometheus at the running platform: whatever rules and dashboards ask for is there."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from espace.testing import until
from espace_stack import dashboards, observing
from espace_stack.legal import START
from espace_stack.stack import OBSERVERS
from espace_stack.testing.platform import Platform
from tests.e2e.claims import deposit_with_drc
from tests.e2e.conftest import NewApp
from tests.e2e.outside import Operator

ELSEWHERE = {
    "cnpg_collector_last_available_backup_timestamp": "of CloudNativePG",
    "kubelet_volume_stats_available_bytes": "of Kubernetes",
    "traefik_tls_certs_not_after": "the gateway here has no certificate",
    "espace_scanner_up": "there is no scanner here",
}
"""What nobody exports here, and why."""
NOTHING_YET = {
    "Scanner": "there is no scanner here",
    "Deposits refused": "none is",
    "Delivered again": "no event is",
}
"""Panels that may be empty here, and why."""
NAME = re.compile(r"\b((?:espace|http|rabbitmq|pg|traefik|process|cnpg|kubelet)_\w+|up)\b(?=[{\[) ]|$)", re.M)


@pytest.fixture
def prometheus(platform: Platform, new_app: NewApp) -> Iterator[httpx.Client]:
    """It has seen a deposit with a request for further information, and one of the synthetic citizen's."""
    platform.stack.start(OBSERVERS)
    platform.part("synthetic").start()
    with httpx.Client(base_url=platform.stack.prometheus.url, timeout=30) as client:
        until("all targets to be up", lambda: _all_up(client))
        platform.legal.freeze(START)
        operator = Operator(platform)
        operator.outsiders("let-in", "observer", "dossier.submitted.v1", "--by", "ops")
        app = new_app()
        deposit_with_drc(app)
        platform.settle()

        def all_told() -> bool:
            app.get("dossier/v1/dossiers")  # what has not changed since it was first seen has no rate
            return bool(asked(client, "slo:error_ratio:1h")) and _filed(client)

        until("rates, and the synthetic deposit", all_told)
        yield client
    operator.outsiders("let-out", "observer", "--by", "ops")
    for name in ("synthetic", *OBSERVERS):
        platform.part(name).stop()


def test_everything_that_is_asked_for_is_there(prometheus: httpx.Client) -> None:
    groups = [
        group
        for file in (observing.FOLDER / "rules").glob("*.yml")
        for group in yaml.safe_load(file.read_text())["groups"]
    ]
    expressions = [rule["expr"] for group in groups for rule in group["rules"]]
    names = {name for expression in expressions for name in NAME.findall(expression)}
    assert len(names) >= 25
    missing = {name for name in names if not asked(prometheus, name)}
    assert missing == ELSEWHERE.keys()

    loaded = prometheus.get("/api/v1/rules").json()["data"]["groups"]
    assert [rule for group in loaded for rule in group["rules"] if rule["health"] == "err"] == []
    assert sum(len(group["rules"]) for group in loaded) == len(expressions)

    empty = set()
    for board in dashboards.DASHBOARDS:
        for panel in board.panels:
            for query in panel.queries:
                if not asked(prometheus, query.replace("$__rate_interval", "1m").replace("$job", ".+")):
                    empty.add(panel.title)
    assert empty <= NOTHING_YET.keys(), empty


def asked(client: httpx.Client, query: str) -> list[Any]:
    """What a query finds now."""
    answer = client.get("/api/v1/query", params={"query": query}).json()
    assert answer["status"] == "success", (query, answer)
    found: list[Any] = answer["data"]["result"]
    return found


def _all_up(client: httpx.Client) -> bool:
    targets = client.get("/api/v1/targets").json()["data"]["activeTargets"]
    wanted = {*observing.jobs(), "rabbitmq", "rabbitmq-queues", "postgres"}
    return {target["labels"]["job"] for target in targets if target["health"] == "up"} == wanted


def _filed(client: httpx.Client) -> bool:
    (found,) = asked(client, "espace:filing_possible:bool") or [{"value": [0, "0"]}]
    return bool(found["value"][1] == "1")
