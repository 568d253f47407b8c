"""The four more days: opened by the deposit, reminded, answered in time or lapsed."""

from datetime import datetime
from typing import Any

from espace.testing import until
from espace_stack.legal import BRUSSELS
from espace_stack.testing.platform import Platform
from tests.e2e.app import App
from tests.e2e.claims import WITH_DRC, add_to_request, answer, deposit_with_drc
from tests.e2e.conftest import NewApp
from tests.e2e.mails import mail, mails


def test_two_requests_one_answered_one_lapsed(platform: Platform, new_app: NewApp) -> None:
    answering, silent, uploading = new_app(), new_app(), new_app()
    platform.legal.freeze(datetime(2024, 10, 15, 14, 0, tzinfo=BRUSSELS))
    dossier, request = deposit_with_drc(answering)
    assert request["state"] == "open"
    assert request["due_date"] == "2024-10-19"
    assert request["due_at"].startswith("2024-10-19T22:00:00")
    assert request["element"] == WITH_DRC["missing_pieces"]
    step = next(s for s in dossier["steps"] if s["key"] == "processing")
    assert (step["label"], step["state"], step["substeps"][0]["label"]) == ("En Traitement", "current", "DRC")
    assert dossier["action_required"]
    opened = mail(platform, answering, "19 octobre 2024")
    assert WITH_DRC["missing_pieces"] in (opened.text or "")
    lapsing, _ = deposit_with_drc(silent)
    kept, kept_request = deposit_with_drc(uploading)
    add_to_request(uploading, kept, kept_request)
    platform.settle()

    platform.legal.freeze(datetime(2024, 10, 17, 9, 0, tzinfo=BRUSSELS))
    until("a reminder", lambda: len(mails(platform, silent, "19 octobre 2024")) >= 2)

    answered = answer(answering, dossier, request)
    assert answered["late"] is False
    until("the answer's mail", lambda: len(mails(platform, answering, dossier["number"])) == 4)
    assert answering.dossier(dossier["id"])["information_requests"][0]["state"] == "answered"
    platform.settle()

    platform.legal.freeze(datetime(2024, 10, 19, 23, 59, 59, 900_000, tzinfo=BRUSSELS))
    until("the second reminder", lambda: len(mails(platform, silent, lapsing["number"])) == 4)
    assert _state(silent, lapsing) == "open"

    platform.legal.freeze(datetime(2024, 10, 20, 0, 0, tzinfo=BRUSSELS))
    until("the lapse", lambda: _state(silent, lapsing) == "lapsed")
    after = silent.dossier(lapsing["id"])
    assert after["information_requests"][0]["state"] == "lapsed"
    assert after["state"] == "submitted"
    assert not after["action_required"]
    until("the lapse's mail", lambda: len(mails(platform, silent, lapsing["number"])) >= 5)
    until("the other lapse", lambda: _state(uploading, kept) == "lapsed")
    piece = uploading.dossier(kept["id"])["information_requests"][0]["attachments"][0]
    assert piece["sent"] is False
    platform.settle()
    # receipt, opening, reminders of the 17th and the 18th, lapse: once each; the answered one stays answered
    assert len(mails(platform, silent, lapsing["number"])) == 5
    assert len(mails(platform, answering, dossier["number"])) == 4
    assert answering.dossier(dossier["id"])["information_requests"][0]["state"] == "answered"

    late = answer(silent, after, after["information_requests"][0])
    assert late["late"] is True
    request_after = silent.dossier(lapsing["id"])["information_requests"][0]
    assert (request_after["state"], request_after["late"]) == ("lapsed", True)
    assert request_after["late_reason"]


def _state(app: App, dossier: Any) -> str:
    return str(app.dossier(dossier["id"])["information_requests"][0]["state"])
