"""The page of guarantees names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_guarantee_names_a_test_that_exists() -> None:
    page = (ROOT / "docs" / "delivery-guarantees.md").read_text("utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    existing: set[str] = set()
    rooms = (
        "shared/tests",
        "services/deadline-scheduler/tests",
        "services/notifier/tests",
        "tests/deploy",
        "tests/chaos",
        "tests/simulation",
    )
    for folder in (ROOT / room for room in rooms):
        for file in folder.rglob("test_*.py"):
            existing |= set(re.findall(r"^def (test_\w+)", file.read_text("utf-8"), re.MULTILINE))
    assert len(named) > 20
    assert named <= existing, named - existing
