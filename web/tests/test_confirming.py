"""« Confirmer » counts once and from its first arrival, whatever happens to the page or the answer."""

import re

import pytest

from espace_web import remote
from web.tests.fakes import problem


@pytest.fixture(params=["deposit", "answer"])
def confirming(request, citizen, services):
    """A page with « Confirmer », and the end of the address that it calls."""
    if request.param == "deposit":
        return f"/dossiers/{services.claims.add_validated()['id']}/verification", "/submission"
    dossier = services.claims.add_deposited(complete="drc")
    (wanted,) = dossier["information_requests"]
    wanted["attachments"] = [{**dossier["attachments"][0], "sent": False}]
    wanted["actions"] = ["attach", "answer"]
    return f"/dossiers/{dossier['id']}/drc/{wanted['id']}/verification", "/answer"


def keys(services, end):
    return [key for _, called, key in services.calls if called.endswith(end)]


def test_page_opened_again_confirms_the_same(citizen, services, confirming):
    path, end = confirming
    first, second = citizen.get(path), citizen.get(path)
    citizen.post_stale(second, path, {})
    citizen.post_stale(first, path, {})
    assert len(keys(services, end)) == 2
    assert len(set(keys(services, end))) == 1


def test_confirmation_nobody_answered_can_be_repeated_as_the_same(citizen, services, confirming):
    path, end = confirming
    check = citizen.get(path)
    services.down.add("dossier")
    away = citizen.post_stale(check, path, {})
    assert away.status_code == 503
    assert "c’est son heure qui compte" in away.text
    services.down.clear()
    citizen.post_stale(away, path, {})  # « Recommencer »
    citizen.post_stale(check, path, {})  # or back to the page, and again
    assert len(set(keys(services, end))) == 1


def test_confirmation_worked_on_for_too_long_can_be_repeated_as_the_same(
    citizen, services, confirming, monkeypatch
):
    path, end = confirming
    monkeypatch.setattr(remote, "IN_PROGRESS_SECONDS", 0)
    check = citizen.get(path)
    services.in_progress = 100
    away = citizen.post_stale(check, path, {})
    assert away.status_code == 503
    services.in_progress = 0
    back = citizen.get(path)
    assert citizen.post_stale(away, path, {}).status_code == 303
    assert citizen.post_stale(back, path, {}).status_code == 303
    assert len(set(keys(services, end))) == 1


def test_what_was_refused_is_confirmed_again_as_another_attempt(citizen, services, confirming):
    path, end = confirming
    services.claims.refusals[end] = problem(409, "claim_exists")
    refused = citizen.post(path)
    assert refused.status_code == 409
    services.claims.refusals.clear()
    assert citizen.post_stale(refused, path, {}).status_code == 303
    first, second = keys(services, end)
    assert first != second


def test_another_content_has_another_key(citizen, services):
    dossier = services.claims.add_validated()
    path = f"/dossiers/{dossier['id']}/verification"
    before = citizen.get(path).text
    assert before == citizen.get(path).text
    dossier["content_sha256"] = "e" * 64
    assert find_key(before) != find_key(citizen.get(path).text)


def find_key(text):
    (found,) = re.findall(r'name="cle" value="([^"]+)"', text)
    return found


def test_deposit_repeats_while_it_is_worked_on_and_ends_on_the_receipt(citizen, services):
    dossier = services.claims.add_validated()
    path = f"/dossiers/{dossier['id']}/verification"
    page = citizen.get(path)
    services.in_progress = 2
    first = citizen.post_stale(page, path, {})
    assert first.location == f"/dossiers/{dossier['id']}/recepisse"
    again = citizen.post_stale(page, path, {})
    assert again.location == first.location
    assert len(set(keys(services, "/submission"))) == 1
    receipt = citizen.get(first.location).text
    assert "ME-2024-000123-7" in receipt
    assert "lundi 21 octobre 2024 à 23 h 59 min 59 s" in receipt
