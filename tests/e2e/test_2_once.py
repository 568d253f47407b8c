"""A deposit happens once: repeats, lost answers and races give one dossier, one number, one mail."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from espace.testing import until
from espace_stack.testing.platform import Platform
from tests.e2e.app import App, expect
from tests.e2e.claims import COMPLETE, ready_claim
from tests.e2e.conftest import mail, mails

NewApp = Callable[..., App]


def test_a_repeat_with_the_same_key_gets_the_same_receipt_and_one_mail(
    platform: Platform, new_app: NewApp
) -> None:
    app = new_app()
    dossier = ready_claim(app)
    key = str(uuid4())
    first = expect(app.submit(dossier, key), 201)
    again = app.submit(dossier, key)
    assert expect(again, 201) == first
    assert again.headers["Idempotency-Replayed"] == "true"
    mail(platform, app, first["number"])
    platform.settle()
    assert len(mails(platform, app, first["number"])) == 1


def test_an_answer_lost_on_the_way_is_repeated_to_the_same_receipt(
    platform: Platform, new_app: NewApp
) -> None:
    app = new_app()
    dossier = ready_claim(app)
    key = str(uuid4())
    with pytest.raises(httpx.ReadTimeout):
        app.http.post(
            f"/api/dossier/v1/dossiers/{dossier['id']}/submission",
            json={"content_sha256": dossier["content_sha256"]},
            headers={"Authorization": f"Bearer {app.tokens['access_token']}", "Idempotency-Key": key},
            timeout=httpx.Timeout(30, read=0.001),
        )
    receipt = until("an answer other than 409", lambda: _unless_running(app.submit(dossier, key)))
    assert receipt["number"] == app.dossier(dossier["id"])["number"]
    mail(platform, app, receipt["number"])
    platform.settle()
    assert len(mails(platform, app, receipt["number"])) == 1


def test_fifty_confirmations_at_once_give_one_number_and_one_mail(
    platform: Platform, new_app: NewApp
) -> None:
    app = new_app()
    dossier = ready_claim(app)

    def confirm(key: str) -> httpx.Response:
        with httpx.Client(base_url=platform.public_url, timeout=60) as http:
            return http.post(
                f"/api/dossier/v1/dossiers/{dossier['id']}/submission",
                json={"content_sha256": dossier["content_sha256"]},
                headers={"Authorization": f"Bearer {app.tokens['access_token']}", "Idempotency-Key": key},
            )

    one = str(uuid4())
    keys = [one] * 25 + [str(uuid4()) for _ in range(25)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(confirm, keys))
    numbers = {a.json()["number"] for a in answers if a.status_code == 201}
    assert len(numbers) == 1
    assert {a.status_code for a in answers} <= {201, 409}
    number = numbers.pop()
    mail(platform, app, number)
    platform.settle()
    assert len(mails(platform, app, number)) == 1
    assert app.get("dossier/v1/dossiers")["total"] == 1


def test_a_second_claim_for_the_same_election_is_refused_until_the_first_is_withdrawn(
    new_app: NewApp,
) -> None:
    app = new_app()
    first = ready_claim(app)
    expect(app.submit(first), 201)
    second = ready_claim(app, COMPLETE | {"electoral_list": "Liste 8"})
    assert expect(app.submit(second), 409)["code"] == "claim_exists"
    expect(app.call("POST", f"dossier/v1/dossiers/{first['id']}/withdrawal", {}), 200)
    expect(app.submit(app.dossier(second["id"])), 201)


def _unless_running(answer: httpx.Response) -> Any:
    return None if answer.status_code == 409 else expect(answer, 201)
