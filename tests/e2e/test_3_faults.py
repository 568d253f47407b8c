"""Each part is killed for real at its worst moment: nothing is lost, nothing happens twice."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from espace.testing import until
from espace_stack.testing.platform import Platform
from tests.e2e.app import App, expect
from tests.e2e.claims import WITH_DRC, ready_claim
from tests.e2e.conftest import mail, mails

NewApp = Callable[..., App]

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
def test_a_worker_killed_at_its_worst_moment_sends_one_receipt(
    platform: Platform, new_app: NewApp, program: str, point: str
) -> None:
    app = new_app()
    dossier = ready_claim(app, WITH_DRC)
    platform.settle()
    platform.arm_crash(program, point)
    receipt = expect(app.submit(dossier), 201)
    platform.wait_crashed(program)
    platform.part(program).start()
    one_of_each(platform, app, receipt["number"])


def test_a_mail_server_lost_after_the_data_costs_one_copy_at_most(
    platform: Platform, new_app: NewApp
) -> None:
    app = new_app()
    dossier = ready_claim(app)
    platform.settle()
    platform.arm_crash("notifier-worker", "notifier.after_smtp_250")
    receipt = expect(app.submit(dossier), 201)
    platform.wait_crashed("notifier-worker")
    platform.part("notifier-worker").start()
    platform.settle()
    copies = mails(platform, app, receipt["number"])
    assert 1 <= len(copies) <= 2
    assert len({copy.message_id for copy in copies}) == 1


def test_a_mail_server_that_says_later_gets_the_mail_later(platform: Platform, new_app: NewApp) -> None:
    app = new_app()
    dossier = ready_claim(app)
    platform.mail.switch("4xx", times=2)
    receipt = expect(app.submit(dossier), 201)
    mail(platform, app, receipt["number"], seconds=60)
    platform.settle()
    assert len(mails(platform, app, receipt["number"])) == 1


def test_a_broker_killed_delays_the_mail_and_not_the_deposit(platform: Platform, new_app: NewApp) -> None:
    app = new_app()
    dossier = ready_claim(app, WITH_DRC)
    platform.part("rabbitmq").kill()
    receipt = expect(app.submit(dossier), 201)
    platform.part("rabbitmq").start()
    one_of_each(platform, app, receipt["number"])


def test_a_database_killed_gives_a_clean_refusal_and_the_same_key_succeeds(
    platform: Platform, new_app: NewApp
) -> None:
    app = new_app()
    dossier = ready_claim(app)
    key = str(uuid4())
    platform.part("postgres").kill()
    refused = app.submit(dossier, key)
    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"
    platform.part("postgres").start()
    receipt = until("the deposit", lambda: _accepted(app.submit(dossier, key)), 60)
    assert expect(app.submit(dossier, key), 201) == receipt
    mail(platform, app, receipt["number"], seconds=90)
    platform.settle()
    assert len(mails(platform, app, receipt["number"])) == 1


@pytest.mark.parametrize("broken", ["documents-api", "objects", "documents-worker"])
def test_the_deposit_itself_needs_neither_documents_nor_the_object_store(
    platform: Platform, new_app: NewApp, broken: str
) -> None:
    app = new_app()
    dossier = ready_claim(app)
    platform.part(broken).kill()
    receipt = expect(app.submit(dossier), 201)
    if broken == "documents-api":
        away = app.call("GET", f"documents/v1/documents/{dossier['attachments'][0]['document_id']}")
        assert expect(away, 502)["code"] == "service_away"
    platform.part(broken).start()
    platform.settle()
    mail(platform, app, receipt["number"])
    download = until("the piece", lambda: _downloaded(app, dossier["attachments"][0]["document_id"]), 60)
    assert download.startswith(b"%PDF")


def test_documents_killed_between_copy_and_answer_keeps_one_piece(
    platform: Platform, new_app: NewApp
) -> None:
    app = new_app()
    draft = app.draft("reclamation-electorale", WITH_DRC)
    platform.arm_crash("documents-api", "documents.after_copy")
    first = app.upload(draft["id"], "reclamation", b"%PDF-broken")
    assert expect(first, 422)["code"] in ("pdf_unreadable", "not_a_pdf")
    with pytest.raises((AssertionError, httpx.HTTPError)):
        app.attach(draft["id"])
    platform.wait_crashed("documents-api")
    platform.part("documents-api").start()
    dossier = app.attach(draft["id"])
    expect(app.submit(dossier), 201)


def one_of_each(platform: Platform, app: App, number: str) -> None:
    """One receipt and one DRC message: what a deposit with open pieces sends, exactly."""
    until("the receipt and the DRC message", lambda: len(mails(platform, app, number)) >= 2, 90)
    platform.settle()
    subjects = sorted(message.subject for message in mails(platform, app, number))
    assert len(subjects) == len(set(subjects)) == 2, subjects


def _accepted(answer: httpx.Response) -> Any:
    return answer.json() if answer.status_code == 201 else None


def _downloaded(app: App, document_id: str) -> bytes | None:
    answer = app.call("GET", f"documents/v1/documents/{document_id}/download")
    if answer.status_code != 200:
        return None
    file = httpx.get(answer.json()["url"])
    return file.content if file.status_code == 200 else None
