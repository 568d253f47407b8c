"""What is printed at the end: addresses, the demonstration's citizens, memory."""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any

import yaml

from espace_stack.legal import BRUSSELS
from espace_stack.probe import clamd_answers
from espace_stack.stack import Stack

SERVERS = frozenset({"postgres", "rabbitmq", "objects", "gateway"})


def show_addresses(stack: Stack) -> str:
    """Addresses, citizens and legal time."""
    rows = [
        ("Mon Espace", stack.url("gateway")),
        ("the APIs and their documentation", f"{stack.url('gateway')}/api/"),
        ("login simulator", stack.url("simulator")),
    ]
    if "mailbox" in {part.name for part in stack.parts}:
        rows.append(("mails that arrived", stack.url("mailbox")))
    rows.append(("malware scan", _scan(stack)))
    people = [(entry["username"], _name(entry), _means(entry), entry["story"]) for entry in _citizens()]
    now = stack.legal.now().astimezone(BRUSSELS)
    return "\n".join(
        [
            "",
            *_columns(rows),
            "",
            "Citizens of the demonstration (all fictitious):",
            *_columns(people),
            "",
            f"Legal time: {now:%A %d %B %Y, %H:%M} in Brussels. "
            "`make travel TO=2024-10-22T00:00` moves it forward.",
        ]
    )


def show_memory(stack: Stack) -> str:
    """Every part with its state and its proportional set size; servers of others apart from our programs."""
    rows = []
    totals = {"servers": 0, "our programs": 0}
    for part in stack.parts:
        if part.name in stack.on_request and not part.alive:
            continue
        memory = part.process.memory() if part.alive else 0
        totals["servers" if part.name in SERVERS else "our programs"] += memory
        rows.append((part.name, "running" if part.alive else "stopped", _megabytes(memory)))
    rows += [(name, "", _megabytes(total)) for name, total in totals.items()]
    rows.append(("total", "", _megabytes(sum(totals.values()))))
    return "\n".join(_columns(rows))


def _scan(stack: Stack) -> str:
    """What happens to uploaded files."""
    address = stack.given.get("CLAMD")
    if address is None:
        return "not configured: files are served and said to be “not scanned”"
    if clamd_answers(address):
        return f"clamd at {address}"
    return f"clamd at {address} does not answer: files are not served, “being checked”"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:6.0f} MB"


def _citizens() -> list[dict[str, Any]]:
    text = files("login_simulator").joinpath("citizens.yaml").read_text(encoding="utf-8")
    citizens: list[dict[str, Any]] = yaml.safe_load(text)["citizens"]
    return citizens


def _name(entry: dict[str, Any]) -> str:
    return f"{entry['given_name']} {entry['family_name']}"


def _means(entry: dict[str, Any]) -> str:
    return ", ".join(entry["means"])


def _columns(rows: Iterable[Sequence[str]]) -> list[str]:
    table = list(rows)
    widths = [max(len(row[index]) for row in table) for index in range(len(table[0]))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]
