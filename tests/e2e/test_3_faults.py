"""Each part is killed for real (SIGKILL) at its worst moment: nothing is lost, nothing happens twice."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from espace.testing import until
from espace_stack.testing.platform import Platform
from tests.e2e.app import App, expect, send
from tests.e2e.claims import COMPLETE, PROCEDURE, WITH_DRC, ready_claim, ready_question
from tests.e2e.mails import mail, mails
from tests.e2e.once import at_once, deposited_once, objects, submit
from tests.e2e.pdfs import signed_claim

AT_ONCE = 6
KILLS = [
    ("dossier-worker", "relay.after_confirm"),
    ("dossier-worker", "relay.before_publish"),
    ("notifier-worker", "consumer.after_commit"),
    ("notifier-worker", "consumer.before_commit"),
    ("notifier-worker", "notifier.before_data"),
    ("scheduler-worker", "consumer.after_commit"),
    ("documents-worker", "consumer.after_commit"),
]


@pytest.mark.parametrize(("program", "point"), KILLS)
def test_a_worker_killed_at_its_worst_moment_does_its_work_once(
    platform: Platform, candidate: App, program: str, point: str
) -> None:
    dossier = ready_claim(candidate, WITH_DRC)
    platform.settle()
    platform.arm_crash(program, point)
    expect(candidate.submit(dossier), 201)
    platform.wait_crashed(program)
    platform.part(program).start()
    deposited_once(platform, candidate, dossier["id"])


@pytest.mark.anywhere
@pytest.mark.asynchronous
@pytest.mark.parametrize(
    "killed",
    [
        *("dossier-api", "postgres"),
        *(pytest.param(part, marks=pytest.mark.long) for part in ("rabbitmq", "gateway", "dossier-worker")),
    ],
)
def test_deposits_in_flight_when_a_part_is_killed_happen_once(
    platform: Platform, candidate: App, killed: str
) -> None:
    dossiers = [ready_question(candidate) for _ in range(AT_ONCE)]
    keys = [str(uuid4()) for _ in dossiers]
    actions: list[Callable[[], Any]] = [
        partial(_try, candidate, platform.public_url, dossier, key)
        for dossier, key in zip(dossiers, keys, strict=True)
    ]
    *first, _ = at_once([*actions, platform.part(killed).kill])
    platform.part(killed).start()
    numbers = []
    for dossier, key, before in zip(dossiers, keys, first, strict=True):
        again = until("the deposit", lambda d=dossier, k=key: _receipt(candidate.submit(d, k)), 60)  # type: ignore[misc]
        assert before in (None, again), "an answer that was given stays"
        numbers.append(deposited_once(platform, candidate, dossier["id"])["number"])
    assert len(set(numbers)) == AT_ONCE


def test_a_mail_server_lost_after_the_data_costs_one_copy_at_most(platform: Platform, candidate: App) -> None:
    dossier = ready_claim(candidate)
    platform.settle()
    platform.arm_crash("notifier-worker", "notifier.after_smtp_250")
    receipt = expect(candidate.submit(dossier), 201)
    platform.wait_crashed("notifier-worker")
    platform.part("notifier-worker").start()
    platform.settle()
    copies = mails(platform, candidate, receipt["number"])
    assert 1 <= len(copies) <= 2
    assert len({copy.message_id for copy in copies}) == 1


@pytest.mark.anywhere
def test_a_mail_server_that_says_later_gets_the_mail_later(platform: Platform, candidate: App) -> None:
    dossier = ready_claim(candidate)
    platform.mail.switch("4xx", times=2)
    expect(candidate.submit(dossier), 201)
    deposited_once(platform, candidate, dossier["id"])


@pytest.mark.anywhere
def test_a_broker_that_is_dead_delays_the_mail_and_not_the_deposit(
    platform: Platform, candidate: App
) -> None:
    dossier = ready_claim(candidate, WITH_DRC)
    platform.part("rabbitmq").kill()
    expect(candidate.submit(dossier), 201)
    platform.part("rabbitmq").start()
    deposited_once(platform, candidate, dossier["id"])


@pytest.mark.anywhere
def test_a_database_that_is_dead_gives_a_clean_refusal_and_the_same_key_succeeds(
    platform: Platform, candidate: App
) -> None:
    dossier = ready_claim(candidate)
    key = str(uuid4())
    platform.part("postgres").kill()
    refused = candidate.submit(dossier, key)
    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"
    platform.part("postgres").start()
    receipt = until("the deposit", lambda: _receipt(candidate.submit(dossier, key)), 60)
    assert expect(candidate.submit(dossier, key), 201) == receipt
    deposited_once(platform, candidate, dossier["id"])


@pytest.mark.anywhere
@pytest.mark.parametrize("broken", ["documents-api", "objects", "documents-worker"])
def test_the_deposit_itself_needs_neither_documents_nor_the_object_store(
    platform: Platform, candidate: App, broken: str
) -> None:
    dossier = ready_claim(candidate)
    platform.part(broken).kill()
    receipt = expect(candidate.submit(dossier), 201)
    if broken == "documents-api":
        away = candidate.call("GET", f"documents/v1/documents/{dossier['attachments'][0]['document_id']}")
        assert expect(away, 502)["code"] == "service_away"
    mail(platform, candidate, receipt["number"])
    platform.part(broken).start()
    deposited_once(platform, candidate, dossier["id"])
    piece = dossier["attachments"][0]["document_id"]
    assert until("the piece", lambda: _downloaded(candidate, piece), 60).startswith(b"%PDF")


def test_documents_killed_between_copy_and_answer_keeps_the_piece_once(
    platform: Platform, candidate: App
) -> None:
    draft = candidate.draft(PROCEDURE, COMPLETE)
    content = signed_claim()
    registered = expect(candidate.register(draft["id"], "reclamation", content, "réclamation.pdf"), 201)
    assert send(registered["form"], content).status_code in (201, 204)
    document = registered["document_id"]
    completion = f"documents/v1/documents/{document}/completion"
    platform.arm_crash("documents-api", "documents.after_copy")
    assert expect(candidate.call("POST", completion, {}), 502)["code"] == "service_away"
    platform.wait_crashed("documents-api")
    platform.part("documents-api").start()
    completed = until("the completion", lambda: _completed(candidate.call("POST", completion, {})), 60)
    body = {"slot": "reclamation", "statement": completed["statement"]}
    dossier = expect(candidate.call("POST", f"dossier/v1/dossiers/{draft['id']}/attachments", body), 201)
    expect(candidate.submit(dossier), 201)
    deposited_once(platform, candidate, dossier["id"])
    assert _downloaded(candidate, document) == content
    assert [key for key in objects(platform) if document in key] == [f"documents/{document}"]


def _try(app: App, origin: str, dossier: Any, key: str) -> Any:
    """The receipt, or None when no answer came or it was a refusal of the moment."""
    try:
        answer = submit(app, origin, dossier, key)
    except httpx.HTTPError:
        return None
    assert answer.status_code in (201, 409, 502, 503, 504), answer.text
    return _receipt(answer)


def _receipt(answer: httpx.Response) -> Any:
    return answer.json() if answer.status_code == 201 else None


def _completed(answer: httpx.Response) -> Any:
    return answer.json() if answer.status_code == 200 else None


def _downloaded(app: App, document_id: str) -> bytes | None:
    answer = app.call("GET", f"documents/v1/documents/{document_id}/download")
    if answer.status_code != 200:
        return None
    file = httpx.get(answer.json()["url"])
    return file.content if file.status_code == 200 else None
