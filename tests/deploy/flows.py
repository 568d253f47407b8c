"""Who may speak with whom, as the network policies of an overlay have it; ``docs/flows.md`` shows it.

``python -m tests.deploy.flows`` writes that page again.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from espace_stack.layout import SERVICES, WEB
from tests.deploy.compose import ROOT
from tests.deploy.kubernetes import NAME, VERSION, Object, of_kind, overlay, pods, selects

PAGE = ROOT / "docs" / "flows.md"
ANYWHERE = "anywhere"
NAMESPACE = "kubernetes.io/metadata.name"

Flow = tuple[str, str, int]
"""From, to, port."""


@dataclass(frozen=True)
class Node:
    """Pods that are alike."""

    name: str
    labels: Mapping[str, str]
    ports: frozenset[int]


OPERATED = {
    "Cluster": ({"cnpg.io/cluster": "espace"}, {5432, 8000, 9187}),
    "RabbitmqCluster": ({NAME: "rabbitmq"}, {4369, 5672, 15672, 15692, 25672}),
}
"""What operators make of these: the labels that they give by themselves, the ports that are open."""


def nodes(name: str) -> list[Node]:
    """Everything in an overlay that runs, by its own hand or an operator's."""
    found = []
    for made in pods(name):
        ports = {port["containerPort"] for c in made.containers for port in c.get("ports", [])}
        short = made.name.removesuffix(f"-{VERSION.replace('.', '-')}")
        found.append(Node(short, made.labels, frozenset(ports)))
    for content in overlay(name):
        if content["kind"] in OPERATED:
            labels, ports = OPERATED[content["kind"]]
            inherited = content["spec"].get("inheritedMetadata", content["metadata"])["labels"]
            found.append(Node(inherited["serves"], {**labels, **inherited}, frozenset(ports)))
    return found


def flows(name: str) -> set[Flow]:
    """What is allowed inside: one side lets it out, the other one in."""
    return _said(name, "egress") & _said(name, "ingress")


def half_said(name: str) -> set[Flow]:
    """What is allowed on one side alone, and so not at all; what may go anywhere is left out."""
    return _said(name, "egress", named=True) ^ _said(name, "ingress", named=True)


def from_outside(name: str) -> set[Flow]:
    """What comes in from other namespaces, or from anywhere."""
    return set(_across(name, "ingress"))


def to_outside(name: str) -> set[Flow]:
    """What goes out."""
    return set(_across(name, "egress"))


def page() -> str:
    """The page about all overlays."""
    parts = [
        "# Who may speak with whom",
        "",
        "Written by `python -m tests.deploy.flows` from the network policies of `deploy/k8s`; a test holds",
        "it to them, and them to the code. Whatever is not here is refused, on both sides. Everyone may ask",
        "for names.",
    ]
    for name, title in (("dev", "Development: everything inside"), ("prod", "Production")):
        parts += ["", f"## {title}", "", "| to | port | from |", "| --- | --- | --- |"]
        every = flows(name) | from_outside(name) | {flow for flow in to_outside(name) if flow[2] != 53}
        for target, port in sorted({(flow[1], flow[2]) for flow in every}, key=_outside_last):
            sources = sorted((flow[0] for flow in every if flow[1:] == (target, port)), key=_outside_last)
            parts.append(f"| {target} | {port} | {_together(sources)} |")
    return "\n".join(parts) + "\n"


def _said(name: str, side: str, *, named: bool = False) -> set[Flow]:
    """The flows between our own pods for which ``side`` has a rule; ``named``: one that says with whom."""
    everyone = nodes(name)
    found = set()
    for node, rule in _rules(name, side):
        peers = rule.get("from" if side == "ingress" else "to")
        for other in everyone:
            if (peers is None and not named) or any(_takes(peer, other) for peer in peers or ()):
                source, target = (other, node) if side == "ingress" else (node, other)
                found |= {(source.name, target.name, port) for port in _ports(rule) & target.ports}
    return found


def _across(name: str, side: str) -> Iterator[Flow]:
    for node, rule in _rules(name, side):
        ports = _ports(rule) & node.ports if side == "ingress" else _ports(rule)
        for peer in rule.get("from" if side == "ingress" else "to", [{}]):
            if peer.keys() == {"podSelector"}:
                continue
            place = peer["namespaceSelector"]["matchLabels"][NAMESPACE] if peer else ""
            outside = f"namespace {place}" if place else ANYWHERE
            for port in ports:
                yield (outside, node.name, port) if side == "ingress" else (node.name, outside, port)


def _rules(name: str, side: str) -> Iterator[tuple[Node, Any]]:
    everyone = nodes(name)
    for policy in of_kind(name, "NetworkPolicy").values():
        spec = policy["spec"]
        for rule in spec.get(side, []):
            assert side.capitalize() in spec["policyTypes"], policy["metadata"]["name"]
            for node in everyone:
                if selects(spec["podSelector"], node.labels):
                    yield node, rule


def _takes(peer: Object, node: Node) -> bool:
    return "namespaceSelector" not in peer and selects(peer["podSelector"], node.labels)


def _ports(rule: Object) -> set[int]:
    return {entry["port"] for entry in rule["ports"]}


def _outside_last(found: Any) -> tuple[bool, Any]:
    name = found if isinstance(found, str) else found[0]
    return name == ANYWHERE or name.startswith("namespace "), found


def _together(sources: list[str]) -> str:
    """Both roles of a service, or all that it has, in a word."""
    text = ", ".join(sources)
    for service in SERVICES:
        text = text.replace(
            f"{service}-api, {service}-migrate, {service}-worker", f"{service} (api, migrate, worker)"
        ).replace(f"{service}-api, {service}-worker", f"{service} (api, worker)")
    return text.replace(f"{WEB[0]}, {WEB[0]}-migrate", f"{WEB[0]} (api, migrate)")


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE} is as the policies are\n")
