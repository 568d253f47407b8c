"""The classic mistakes that need a service to be made in: each is told by its checker."""

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from espace.bus import rfc3339
from espace.clock import utcnow
from espace.testing import until
from espace_stack.part import Part
from espace_stack.testing.platform import Platform
from shared.tests.bus.conftest import Bus
from shared.tests.bus.facts import a_fact
from tests.chaos import gather
from tests.chaos.checkers import Firing, Verdict, deadlines
from tests.chaos.citizen import Claim
from tests.chaos.history import History
from tests.chaos.parts import restore, start_altered
from tests.chaos.scenarios import Altered
from tests.e2e.app import App, expect, send
from tests.e2e.claims import COMPLETE, PROCEDURE, ready_claim
from tests.e2e.pdfs import signed_claim

SCHEDULER = "deadline_scheduler_service"
SETTINGS = {
    "ESPACE_PUBLIC_URL": "http://localhost",
    "ESPACE_IDENTITY_URL": "http://localhost",
    "ESPACE_CLIENT_SECRET": "secret",
}
SOON = timedelta(minutes=30)


@pytest.fixture
def part(platform: Platform, request: pytest.FixtureRequest) -> Iterator[Part]:
    """A part of the platform, which runs the sound program again afterwards."""
    found = platform.part(request.param)
    yield found
    restore(found)


# ---- the clock


@pytest.mark.parametrize(("alteration", "wanted"), [("application-clock", True), ("clock-ahead", False)])
def test_a_deadline_judged_by_the_programs_clock_is_told(bus: Bus, alteration: str, wanted: bool) -> None:
    """The machine's clock is an hour ahead: whoever asks the database does not notice."""
    altered = Altered(bus, alteration, SETTINGS)
    verdict = one_due_and_one_soon(altered)
    assert bool(verdict.wrong) is wanted, f"{verdict}\n{altered.log()}"
    assert not verdict.lost


def one_due_and_one_soon(altered: Altered) -> Verdict:
    """Two deadlines are set, and the scheduler has looked at them."""
    now = utcnow()
    due = {}
    altered.start(SCHEDULER, "worker")
    for instant in (now + SOON, now):
        fact = a_fact(due_at=rfc3339(instant))
        due[fact.subject, 1] = instant
        with altered.bus.database.transaction() as unit:
            unit.record(fact)
        until("it is set", lambda: fact.subject in altered.ids("deadlines"), 30)  # noqa: B023  used at once
    until("what is due has fired", lambda: fact.subject in altered.ids("deadlines WHERE state = 'fired'"), 30)
    with altered.bus.database.session() as session:
        # By the database's own clock, whatever the program has written.
        rows = session.execute(text("SELECT id::text, changed_at FROM deadlines WHERE state = 'fired'"))
        fired = [Firing(id_, 1, at) for id_, at in rows]
    return deadlines(due, (), fired, now=utcnow(), late=timedelta(minutes=1))


# ---- mail


@pytest.mark.parametrize("part", ["notifier-worker"], indirect=True)
def test_a_mail_that_leaves_before_the_commit_is_told(platform: Platform, candidate: App, part: Part) -> None:
    dossier = ready_claim(candidate)
    platform.settle()
    start_altered(part, "mail-before-commit")
    platform.arm_crash(part.name, "consumer.before_commit")
    receipt = expect(candidate.submit(dossier), 201)
    platform.wait_crashed(part.name)
    restore(part)
    platform.settle()
    claim = Claim(candidate.person, dossier["id"], receipt["number"])
    verdict = gather.mails_once(platform, [claim], ambiguous=0)
    assert verdict.duplicated, verdict
    assert not verdict.lost
    assert not verdict.wrong


# ---- files


@pytest.mark.parametrize("part", ["documents-api"], indirect=True)
def test_an_object_that_goes_before_its_row_is_told(
    platform: Platform, candidate: App, part: Part, tmp_path: Path
) -> None:
    history, content = History(tmp_path / "history.jsonl"), signed_claim()
    draft = candidate.draft(PROCEDURE, COMPLETE)
    candidate.attach(draft["id"], "autres")  # one that is decided, to look at
    start_altered(part, "object-deleted-before-its-row")
    registered = expect(candidate.register(draft["id"], "reclamation", content, "réclamation.pdf"), 201)
    document = registered["document_id"]
    number = history.invoke("lucie", "send", document, hashlib.sha256(content).hexdigest())
    assert send(registered["form"], content).status_code in (201, 204)
    history.end(number, "lucie", "ok", "send", document)
    assert gather.files_whole(platform, history.operations()).kept, "it waits for its decision"
    platform.arm_crash(part.name, "documents.before_removal")
    assert candidate.call("POST", f"documents/v1/documents/{document}/completion", {}).status_code == 502
    platform.wait_crashed(part.name)
    verdict = gather.files_whole(platform, history.operations())
    assert verdict.lost, verdict
    assert not verdict.wrong
