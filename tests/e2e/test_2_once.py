"""A deposit happens once: repeats, lost answers and races give one dossier, one number, one mail."""

from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from espace.testing import until
from espace_stack.testing.platform import Platform
from tests.e2e.app import App, expect
from tests.e2e.claims import COMPLETE, ready_claim, ready_question
from tests.e2e.conftest import NewApp
from tests.e2e.mails import link
from tests.e2e.once import at_once, bearer, deposited_once, submit

pytestmark = pytest.mark.anywhere
ROUNDS = 20
SPACE_CONFIRMED = "type = 'be.espace.profile.space_confirmed.v1'"


def test_a_repeat_with_the_same_key_gets_the_same_receipt_and_one_mail(
    platform: Platform, candidate: App
) -> None:
    dossier = ready_claim(candidate)
    key = str(uuid4())
    first = expect(candidate.submit(dossier, key), 201)
    again = candidate.submit(dossier, key)
    assert expect(again, 201) == first
    assert again.headers["Idempotency-Replayed"] == "true"
    assert deposited_once(platform, candidate, dossier["id"])["number"] == first["number"]


@pytest.mark.asynchronous
def test_an_answer_lost_on_the_way_is_repeated_to_the_same_receipt(
    platform: Platform, candidate: App
) -> None:
    dossier = ready_claim(candidate)
    key = str(uuid4())
    with suppress(httpx.ReadTimeout):  # one that comes all the same is thrown away
        submit(candidate, platform.public_url, dossier, key, timeout=httpx.Timeout(30, read=0.001))
    receipt = until("an answer other than 409", lambda: _unless_running(candidate.submit(dossier, key)))
    assert deposited_once(platform, candidate, dossier["id"])["number"] == receipt["number"]


@pytest.mark.asynchronous
def test_fifty_confirmations_at_once_give_one_deposit(platform: Platform, candidate: App) -> None:
    """Half of them with one key, half with keys of their own."""
    dossier = ready_claim(candidate)
    one = str(uuid4())
    keys = [one] * 25 + [str(uuid4()) for _ in range(25)]
    answers = at_once([partial(submit, candidate, platform.public_url, dossier, key) for key in keys])
    assert {a.status_code for a in answers} <= {201, 409}
    receipts = [a.json() for a in answers if a.status_code == 201]
    assert receipts
    assert all(receipt == receipts[0] for receipt in receipts)
    assert deposited_once(platform, candidate, dossier["id"])["number"] == receipts[0]["number"]


@pytest.mark.asynchronous
def test_fifty_uses_of_one_link_at_once_confirm_once(platform: Platform, new_app: NewApp) -> None:
    app = new_app(space=False)
    expect(app.call("PUT", "profile/v1/profile/email", {"email": app.email}), 200)
    used = {"token": link(platform, app).rsplit("/", 1)[1]}

    def use() -> int:
        confirmations = f"{platform.public_url}/api/profile/v1/email-confirmations"
        return httpx.post(confirmations, json=used, timeout=60).status_code

    assert set(at_once([use] * 50)) == {200}
    assert app.get("profile/v1/profile")["space"] == "confirmed"
    facts = f"select id from event_log where {SPACE_CONFIRMED} and subject = '{app.citizen_id}'"
    assert len(platform.rows("profile", facts)) == 1


def test_removing_a_piece_against_submitting_has_one_outcome(platform: Platform, candidate: App) -> None:
    for _ in range(ROUNDS):
        dossier = ready_question(candidate)
        (piece,) = dossier["attachments"]
        path = f"/api/dossier/v1/dossiers/{dossier['id']}/attachments/{piece['document_id']}"
        headers = bearer(candidate) | {"If-Match": f'"{dossier["version"]}"'}
        deposit, removal = at_once(
            [
                partial(submit, candidate, platform.public_url, dossier, str(uuid4())),
                partial(httpx.delete, platform.public_url + path, headers=headers, timeout=60),
            ]
        )
        after = candidate.dossier(dossier["id"])
        if deposit.status_code == 201:
            assert removal.status_code in (409, 412)
            kept = [attachment["document_id"] for attachment in after["attachments"]]
            assert (after["state"], kept) == ("submitted", [piece["document_id"]])
        else:
            assert (deposit.status_code, removal.status_code) == (409, 200)
            assert (after["state"], after["attachments"]) == ("validated", [])


def test_a_second_claim_for_the_same_election_is_refused_until_the_first_is_withdrawn(
    candidate: App,
) -> None:
    first = ready_claim(candidate)
    expect(candidate.submit(first), 201)
    second = ready_claim(candidate, COMPLETE | {"electoral_list": "Liste 8"})
    assert expect(candidate.submit(second), 409)["code"] == "claim_exists"
    expect(candidate.call("POST", f"dossier/v1/dossiers/{first['id']}/withdrawal", {}), 200)
    expect(candidate.submit(candidate.dossier(second["id"])), 201)


def _unless_running(answer: httpx.Response) -> Any:
    return None if answer.status_code == 409 else expect(answer, 201)
