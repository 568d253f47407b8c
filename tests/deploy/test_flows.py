"""The network policies say what the code does, on both sides, and the page says what they say."""

import json
import re

import pytest

from espace_stack.layout import CALLS, SERVICES, SPEAK_AMQP, WEB, programs
from espace_stack.settings import CLIENTS
from tests.deploy.compose import ROOT
from tests.deploy.flows import ANYWHERE, PAGE, Flow, flows, from_outside, half_said, nodes, page, to_outside
from tests.deploy.kubernetes import COMPONENT, OVERLAYS, Object, environment, of_kind, pods, selects

ROLES = {
    service: [f"{service}-api", f"{service}-worker"] if service in SERVICES else [service]
    for service in CALLS
}
PROGRAMS = [program.name for program in programs()]


def api_of(service: str) -> str:
    return ROLES[service][0]


def everywhere() -> set[Flow]:
    """What any overlay has, by the code."""
    found = {
        (role, api_of(called), 8000) for s, calls in CALLS.items() for called in calls for role in ROLES[s]
    }
    told = [
        client for client in json.loads(CLIENTS.read_text())["clients"] if "backchannel_logout_uri" in client
    ]
    assert [client["client_id"] for client in told] == [WEB[0]]
    found.add(("identity-worker", WEB[0], 8000))
    found |= {(name, "postgres", 5432) for name in (*PROGRAMS, *(f"{service}-migrate" for service in CALLS))}
    return found | {(f"{service}-worker", "rabbitmq", 5672) for service in SPEAK_AMQP}


def test_development_allows_what_the_code_does_and_no_more() -> None:
    upstreams = re.findall(r'list ((?:"\w+" ?)+)', (ROOT / "gateway" / "dynamic.yml").read_text())[-1]
    routed = set(re.findall(r'"(\w+)"', upstreams))
    keeps_files = [
        found.name
        for found in pods("dev")
        if found.labels.get(COMPONENT) in ("api", "worker")
        and "ESPACE_OBJECTS_URL" in environment("dev", found.program)
    ]
    assert flows("dev") == everywhere() | {
        *(
            ("gateway", "objects" if name == "objects" else api_of(name), 9000 if name == "objects" else 8000)
            for name in routed
        ),
        *((name, "objects", 9000) for name in (*keeps_files, "prepare")),
        *(("prepare", name, port) for name, port in (("postgres", 5432), ("rabbitmq", 15672))),
        ("notifier-worker", "mailbox", 8025),
        ("identity-api", "simulator", 8081),
        ("synthetic", "gateway", 8080),
        ("synthetic", "simulator", 8081),
    }


def test_production_allows_what_the_code_does_and_its_operators_need() -> None:
    assert flows("prod") == everywhere() | {
        ("documents-worker", "clamav", 3310),
        ("queues", "rabbitmq", 15672),
        *(("rabbitmq", "rabbitmq", port) for port in (4369, 25672)),
        *(("postgres", "postgres", port) for port in (5432, 8000)),
    }


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_rule_has_its_other_side(name: str) -> None:
    open_to_all = {target for source, target, _ in from_outside(name) if source == ANYWHERE}
    assert {flow for flow in half_said(name) if flow[1] not in open_to_all} == set()


def test_development_is_open_where_browsers_come_and_goes_out_to_kubernetes_alone() -> None:
    assert {flow for flow in from_outside("dev") if flow[0] == ANYWHERE} == {
        (ANYWHERE, "gateway", 8080),
        (ANYWHERE, "simulator", 8081),
    }
    assert {flow for flow in to_outside("dev") if flow[2] != 53} == {
        ("secrets", ANYWHERE, 443),
        ("secrets", ANYWHERE, 6443),
    }


def test_production_is_open_to_its_gateway_alone_and_goes_out_where_its_settings_lead() -> None:
    incoming = from_outside("prod")
    assert ANYWHERE not in {source for source, _, _ in incoming}
    assert {target for source, target, _ in incoming if source == "namespace traefik"} == {
        target for source, target, _ in flows("dev") if source == "gateway" and target != "objects"
    }
    outgoing = {flow for flow in to_outside("prod") if flow[2] != 53}
    smtp = int(environment("prod", program_of("notifier-worker"))["ESPACE_SMTP_PORT"])
    secure = ("identity-api", "documents-api", "documents-worker", "web", "clamav")
    expected = {("notifier-worker", smtp), *((name, 443) for name in secure)}
    expected |= {("synthetic", port) for port in (443, 8443)}
    expected |= {(name, port) for name in ("postgres", "rabbitmq") for port in (443, 6443)}
    assert outgoing == {(source, ANYWHERE, port) for source, port in expected}


@pytest.mark.parametrize("name", OVERLAYS)
def test_metrics_are_let_out_and_nothing_else_is_asked_for(name: str) -> None:
    scraped = {
        (target, port) for source, target, port in from_outside(name) if source == "namespace monitoring"
    }
    assert {(found, 9000 if found.endswith("-worker") else 8000) for found in PROGRAMS} <= scraped
    assert ("rabbitmq", 15692) in scraped


@pytest.mark.parametrize("name", OVERLAYS)
def test_nothing_is_allowed_by_default_and_names_are(name: str) -> None:
    policies = of_kind(name, "NetworkPolicy")
    nothing = policies["nothing"]["spec"]
    assert nothing == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    asked = {source for source, target, port in to_outside(name) if target == "namespace kube-system"}
    assert asked == {node.name for node in nodes(name)}


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_policy_is_about_someone(name: str) -> None:
    for title, policy in of_kind(name, "NetworkPolicy").items():
        assert any(selects(policy["spec"]["podSelector"], node.labels) for node in nodes(name)), title


def test_the_page_is_as_the_policies_are() -> None:
    assert PAGE.read_text() == page(), "python -m tests.deploy.flows writes it again"


def program_of(name: str) -> Object:
    return next(found.program for found in pods("prod") if found.name == name)
