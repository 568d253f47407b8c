"""docker-compose.yml as it is read: anchors and merges resolved, variables at their defaults."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
_VARIABLE = re.compile(r"\$\{\w+(?::-(?P<default>[^}]*))?\}")


@cache
def compose(name: str = "docker-compose.yml") -> dict[str, Any]:
    """The whole file."""
    text = _VARIABLE.sub(lambda found: found["default"] or "", (ROOT / name).read_text(encoding="utf-8"))
    content: dict[str, Any] = yaml.safe_load(text)
    return content


def services() -> dict[str, dict[str, Any]]:
    """Service name → what is said of it."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def runs_once(service: dict[str, Any]) -> bool:
    """Whether a service ends by itself: it prepares something."""
    return str(service.get("restart")) == "no"
