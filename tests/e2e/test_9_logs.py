"""After everything: what the logs say, and what they must not (security checks on personal data in logs)."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from espace.telemetry.catalogue import EVENTS
from espace_stack.layout import SERVICES
from espace_stack.testing.platform import Platform
from tests.e2e.canaries import found_in, kinds

STRANGERS = {"simulator", "mailbox"}
"""They stand in for the login source and a citizen's mailbox, and hold what these would."""
MET = {
    *("national number", "name", "e-mail address", "telephone", "street"),
    *("access_token", "id_token", "refresh_token", "authorization code", "link of a mail"),
    *("cookie __Host-mes", "code to log in"),
}
AUTH = {
    *("login.started", "login.succeeded", "logout.succeeded", "token.issued", "token.refused"),
    *("token.reuse_detected", "auth.refused", "email.confirmed", "email.confirmation_requested"),
}
REFUSED = re.compile(r"\w+: the environment is not complete|ESPACE_DATABASE_POOL_SIZE: .+")
"""What a program says in plain text to whoever starts it wrongly; a test of the stack does."""
OURS = {*SERVICES, "web", "synthetic"}


def test_no_log_holds_what_the_tests_have_met(platform: Platform) -> None:
    if missing := MET - kinds():
        pytest.fail(f"no {missing} was met: run the whole folder")
    logs = [log for log in platform.logs() if log.stem not in STRANGERS]
    assert len(logs) >= 16
    assert [found for log in logs for found in found_in(log)] == []


def test_every_line_of_a_program_is_json_with_a_name_of_the_catalogue(platform: Platform) -> None:
    said = Counter[str]()
    for log in filter(_is_ours, platform.logs()):
        for line in log.read_text(encoding="utf-8").splitlines():
            if REFUSED.fullmatch(line):
                continue
            fields = json.loads(line)
            assert {"time", "level", "service", "event"} <= fields.keys(), (log.name, line)
            said[fields["event"]] += 1
    assert said.keys() <= EVENTS.keys()
    assert said.keys() >= AUTH, "what happens at the door is told"


def _is_ours(log: Path) -> bool:
    return log.stem.rpartition("-")[0] in OURS or log.stem in OURS
