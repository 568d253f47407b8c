"""An administration outside follows docs/integrators.md with any client: what was deposited is told to it."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from espace.testing import until
from espace_stack.process import base_environment
from espace_stack.testing.platform import Platform
from tests.e2e.app import App, expect
from tests.e2e.claims import ready_question
from tests.e2e.outside import Operator

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "integrators.md").read_text("utf-8")
Client = Callable[[Path], list[str]]
SUBMITTED, WITHDRAWN = "be.espace.dossier.submitted.v1", "be.espace.dossier.withdrawn.v1"


def the_pages_client(folder: Path) -> list[str]:
    """The Python that the page shows, word by word."""
    (shown,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    assert len([line for line in shown.splitlines() if line.strip()]) <= 30
    (folder / "client.py").write_text(shown, encoding="utf-8")
    return [sys.executable, "-W", "error", str(folder / "client.py")]


def a_foreign_client(_folder: Path) -> list[str]:
    """Another language, another AMQP library, another verifier of signatures."""
    return ["node", str(Path(__file__).parent / "integrator" / "read.mjs")]


@contextmanager
def reading(command: list[str], log: Path, **settings: str) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=base_environment() | settings, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield
        assert process.poll() is None, log.read_text()
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("name", "client"), [("page", the_pages_client), ("foreign", a_foreign_client)], ids=["page", "foreign"]
)
def test_an_integrator_reads_what_was_deposited_before_and_after_it_came(
    platform: Platform, candidate: App, tmp_path: Path, name: str, client: Client
) -> None:
    before = expect(candidate.submit(ready_question(candidate)), 201)["dossier_id"]
    operator, log = Operator(platform), tmp_path / "integrator.log"
    granted = operator.outsiders(
        "let-in", name, "dossier.submitted.v1", WITHDRAWN, "--since", "2024-01-01T00:00:00Z", "--by", "ops"
    )
    operator.broker(granted, password="its-own-word")
    address = urlsplit(platform.stack.addresses.amqp)
    settings = {
        "AMQP_URL": f"amqp://outside-{name}:its-own-word@{address.hostname}:{address.port}{address.path}",
        "KEYS": f"{platform.public_url}/api/dossier/v1/event-keys",
        "QUEUE": f"outside.{name}",
    }
    try:
        with reading(client(tmp_path), log, **settings):
            until("what was deposited before", lambda: f"{SUBMITTED} {before}" in log.read_text())
            after = expect(candidate.submit(ready_question(candidate)), 201)["dossier_id"]
            until("what was deposited after", lambda: f"{SUBMITTED} {after}" in log.read_text())
    finally:
        operator.broker(operator.outsiders("let-out", name, "--by", "ops"))
    told = [line.split() for line in log.read_text().splitlines()]
    assert [dossier for _, type_, dossier in told if type_ == SUBMITTED].count(after) == 1
    assert len({identity for identity, _, _ in told}) == len(told)
    assert {type_ for _, type_, _ in told} <= {SUBMITTED, WITHDRAWN}
