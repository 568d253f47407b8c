"""What is logged: known events, as JSON lines, without secrets or personal data."""

import ast
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from espace import telemetry
from espace.telemetry.catalogue import EVENTS
from espace.telemetry.logs import REDACTED, UnknownEventError, redact

ROOT = Path(__file__).parents[3]
PACKAGES = ("shared/espace", "services/*/*_service", "web/espace_web", "synthetic/synthetic_citizen")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
NRN, MAIL = "85.07.30-033.28", "nora.elamrani@courriel.example"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"


@pytest.fixture
def configured() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    before = structlog.get_config()
    yield
    structlog.configure(**before)
    structlog.contextvars.clear_contextvars()
    root.handlers[:], root.level = handlers, level


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The event names that a module logs: ``log.info("…")``."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LEVELS
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id in ("log", "logger")
        ):
            first = node.args[0]
            texts = [first] if not isinstance(first, ast.IfExp) else [first.body, first.orelse]
            for text in texts:
                if isinstance(text, ast.Constant):  # a computed name is checked where it is logged
                    yield node.lineno, str(text.value)


def test_every_logged_event_is_in_the_catalogue() -> None:
    unknown = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for package in PACKAGES
        for module in sorted(ROOT.glob(f"{package}/**/*.py"))
        for path, line, name in ((module, *found) for found in names(ast.parse(module.read_text("utf-8"))))
        if name not in EVENTS
    ]
    assert unknown == []


def test_every_event_of_the_catalogue_is_logged_somewhere() -> None:
    logged = {
        name
        for package in PACKAGES
        for module in ROOT.glob(f"{package}/**/*.py")
        for _, name in names(ast.parse(module.read_text("utf-8")))
    }
    computed = {"library.message"} | {name for name in EVENTS if name.startswith("message.")}
    assert EVENTS.keys() - logged - computed == set()


def test_an_unknown_event_raises_where_it_is_strict(configured: None) -> None:
    telemetry.configure_logging("kit", "api", strict=True)
    with pytest.raises(UnknownEventError, match=r"thing\.happened"):
        telemetry.get_logger().info("thing.happened")


def test_a_line_is_json_with_its_cause(configured: None, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logging("kit", "worker")
    with telemetry.caused_by("request-0001"):
        telemetry.get_logger().info("relay.published", count=3)
    telemetry.get_logger().info("relay.published", count="\r\nforged\n")
    [first, second] = logged(capsys)
    assert first["event"] == "relay.published"
    assert (first["service"], first["role"], first["level"]) == ("kit", "worker", "info")
    assert (first["request_id"], first["count"]) == ("request-0001", 3)
    assert first["time"].endswith("Z")
    assert "request_id" not in second


def test_nothing_secret_is_logged(configured: None, capsys: pytest.CaptureFixture[str]) -> None:
    telemetry.configure_logging("kit", "api")
    try:
        raise ValueError(f"no mailbox for {MAIL} ({NRN})")
    except ValueError:
        telemetry.get_logger().exception(
            "http.failed",
            email=MAIL,
            Authorization=f"Bearer {TOKEN}",
            nested={"code": "123456", "list": [{"national_number": NRN}], "reason": f"for {NRN}"},
            reason=f"token {TOKEN} of {MAIL}",
        )
    logging.getLogger("library").warning("refused %s", MAIL)
    output = capsys.readouterr().out
    assert len(output.splitlines()) == 2
    for secret in (MAIL, NRN, TOKEN, "123456"):
        assert secret not in output
    assert "ValueError" in output
    assert '"event": "library.message"' in output


@pytest.mark.parametrize("nrn", ["85.07.30-033.28", "85073003328", "85.07.30 033.28"])
def test_a_national_number_is_known_by_its_look(nrn: str) -> None:
    event = redact(None, "info", {"reason": f"({nrn})"})
    assert event["reason"] == f"({REDACTED})"


@pytest.mark.parametrize(
    "harmless", ["2024-10-21T21:59:59.900000Z", "0b9f3d5e-64b5-4c1f-9a37-123456789012", "ME-2024-000123"]
)
def test_ids_and_instants_are_left_alone(harmless: str) -> None:
    assert redact(None, "info", {"reason": harmless})["reason"] == harmless
