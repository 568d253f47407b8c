"""Rules, what is scraped and dashboards are what the code says, and each alert has its tests and its page."""

import json
import re
import subprocess
from typing import Any

import pytest
import yaml

from espace_stack import dashboards, observing
from tests.deploy.compose import ROOT
from tests.deploy.kubernetes import COMPONENT, of_kind, pods

RULES = sorted((observing.FOLDER / "rules").glob("*.yml"))
TESTS = sorted((observing.FOLDER / "tests").glob("*.yml"))
SECTIONS = ["Symptom", "Impact", "Check", "Fix", "Escalate"]
OURS = re.compile(r"\b((?:espace|http_(?:server|client))_\w+)")


def rules() -> list[dict[str, Any]]:
    """Every rule of every file."""
    groups = [group for file in RULES for group in yaml.safe_load(file.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}


def test_the_configuration_is_as_the_programs_are() -> None:
    assert (observing.FOLDER / "prometheus.yml").read_text() == observing.page()
    assert observing.OPERATORS_RULES.read_text(encoding="utf-8") == observing.operators_rules()


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.name)
def test_rules_are_valid(file: Any) -> None:
    judged("promtool", "check", "rules", "--lint-fatal", str(file))


def test_configurations_are_valid() -> None:
    judged("promtool", "check", "config", "--syntax-only", str(observing.FOLDER / "prometheus.yml"))
    judged("amtool", "check-config", str(observing.FOLDER / "alertmanager.yml"))


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
def test_alerts_fire_when_they_should_and_not_otherwise(file: Any) -> None:
    judged("promtool", "test", "rules", str(file))


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_is_tested_both_ways_and_says_what_to_do(alert: str) -> None:
    outcomes = {
        bool(expected.get("exp_samples"))
        for file in TESTS
        for case in yaml.safe_load(file.read_text())["tests"]
        for expected in case["promql_expr_test"]
        if f'alertname="{alert}"' in expected["expr"]
    }
    assert outcomes == {True, False}
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"].keys() >= {"summary", "description", "runbook_url"}
    page = ROOT / rule["annotations"]["runbook_url"]
    assert page.stem == alert
    text = page.read_text()
    assert text.startswith(f"# {alert}\n")
    assert re.findall(r"^## (.+)$", text, flags=re.M) == SECTIONS


def test_every_page_has_its_alert() -> None:
    assert {page.stem for page in (ROOT / "docs" / "operations" / "alerts").glob("*.md")} == ALERTS.keys()


def test_what_is_asked_for_is_exported() -> None:
    """Names of ours, in rules and dashboards, are those of :mod:`espace.telemetry.metrics`."""
    code = (ROOT / "shared" / "espace" / "telemetry" / "metrics.py").read_text()
    exported = set(OURS.findall(code))
    texts = [file.read_text() for file in (*RULES, *dashboards.FOLDER.glob("*.json"))]
    asked = {name for text in texts for name in OURS.findall(text)}
    bases = {re.sub(r"_(bucket|sum|count|info)$", "", name) for name in asked}
    assert asked
    assert bases - exported == set()


def test_dashboards_are_as_the_code_makes_them() -> None:
    made = {dashboards.file_of(board): dashboards.text(board) for board in dashboards.DASHBOARDS}
    assert {file: file.read_text() for file in dashboards.FOLDER.glob("*.json")} == made


@pytest.mark.parametrize("board", dashboards.DASHBOARDS, ids=lambda board: board.uid)
def test_a_dashboard_keeps_the_linters_rules(board: dashboards.Dashboard) -> None:
    made = json.loads(dashboards.text(board))
    assert made["templating"]["list"][0]["type"] == "datasource"
    assert made["timezone"] == "Europe/Brussels"
    assert not made["editable"]
    titles = [panel["title"] for panel in made["panels"]]
    assert len(set(titles)) == len(titles)
    for panel in made["panels"]:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["targets"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= dashboards.WIDTH
        for target in panel["targets"]:
            assert target["legendFormat"]
            for window in re.findall(r"(?<!\w)rate\([^][]*\[([^]]+)\]", target["expr"]):
                assert window in ("$__rate_interval", "1h"), target["expr"]
            assert not re.search(r"(?<!\w)rate\(\w+_(?:seconds|bytes)\b(?!_)", target["expr"]), (
                "a gauge has no rate"
            )


def judged(*command: str) -> None:
    """Its tool says that it is right."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_the_operator_scrapes_has_the_names_of_the_rules() -> None:
    """Each job of the file for containers comes out of a PodMonitor under the same name."""
    monitors = of_kind("prod", "PodMonitor")
    endpoints = [end for monitor in monitors.values() for end in monitor["spec"]["podMetricsEndpoints"]]
    named = {rule["replacement"] for end in endpoints for rule in end["relabelings"] if "replacement" in rule}
    (by_pod,) = (rule for end in endpoints for rule in end["relabelings"] if "sourceLabels" in rule)
    deployments = [
        found.name
        for found in pods("prod")
        if found.labels.get(COMPONENT) in ("api", "worker", "synthetic") and found.runs_on
    ]
    pattern = re.compile(by_pod["regex"])
    jobs = {pattern.fullmatch(f"{name}-5d9f8c7b6").group(1) for name in deployments}  # type: ignore[union-attr]
    assert jobs | named == {job["job_name"] for job in observing.in_containers()["scrape_configs"]}
    (detailed,) = (end for end in endpoints if end["path"] == "/metrics/detailed")
    assert detailed["params"] == observing.QUEUES
