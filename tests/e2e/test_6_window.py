"""The window closes at midnight in Brussels, per constituency, and to the tenth of a second."""

import contextlib
from datetime import datetime
from typing import Any

from espace.testing import until
from espace_stack.legal import BRUSSELS
from espace_stack.part import FailedPart
from espace_stack.testing.platform import Platform
from tests.e2e.app import App, expect
from tests.e2e.claims import CHARLEROI, WITH_DRC, ready_claim
from tests.e2e.conftest import NewApp
from tests.e2e.mails import mail, mails


def test_the_last_tenth_of_a_second_is_in_time_and_midnight_is_not(
    platform: Platform, new_app: NewApp
) -> None:
    in_time, too_late, fourteenth = new_app(), new_app(), new_app(CHARLEROI)
    claims = {app: ready_claim(app) for app in (in_time, too_late)}
    claims[fourteenth] = ready_claim(fourteenth, WITH_DRC)

    platform.legal.freeze(datetime(2024, 10, 21, 23, 59, 59, 900_000, tzinfo=BRUSSELS))
    receipt = expect(in_time.submit(claims[in_time]), 201)
    assert receipt["received_at"].startswith("2024-10-21T21:59:59.9")
    assert receipt["received_date"] == "2024-10-21"
    assert "21 octobre 2024" in (mail(platform, in_time, receipt["number"]).text or "")

    platform.legal.freeze(datetime(2024, 10, 22, 0, 0, tzinfo=BRUSSELS))
    refused = expect(too_late.submit(claims[too_late]), 409)
    assert refused["code"] == "window_closed"
    assert "21 octobre 2024" in " ".join([refused["detail"], *refused["reasons"]])
    kept = too_late.dossier(claims[too_late]["id"])
    assert kept["state"] == "validated"
    assert len(kept["attachments"]) == 1

    accepted = expect(fourteenth.submit(claims[fourteenth]), 201)
    request = fourteenth.dossier(accepted["dossier_id"])["information_requests"][0]
    assert request["due_date"] == "2024-10-26"  # a Saturday: nothing rolls over
    assert request["due_at"].startswith("2024-10-26T22:00:00")
    expect(in_time.call("POST", f"dossier/v1/dossiers/{receipt['dossier_id']}/withdrawal", {}), 409)


def test_a_scheduler_down_for_36_hours_over_a_due_date_fires_once_when_it_is_back(
    platform: Platform, new_app: NewApp
) -> None:
    app = new_app(CHARLEROI)
    platform.legal.freeze(datetime(2024, 10, 22, 10, 0, tzinfo=BRUSSELS))
    receipt = expect(app.submit(ready_claim(app, WITH_DRC)), 201)
    mail(platform, app, "26 octobre 2024")
    platform.settle()
    platform.part("scheduler-worker").kill()
    platform.arm_crash("scheduler-worker", "scheduler.while_firing")

    platform.legal.freeze(datetime(2024, 10, 28, 11, 0, tzinfo=BRUSSELS))  # after the clocks went back
    assert _state(app, receipt) == "open"
    with contextlib.suppress(FailedPart):  # it may die before it is ready: in the middle of firing
        platform.part("scheduler-worker").start()
    platform.wait_crashed("scheduler-worker")
    platform.part("scheduler-worker").start()
    until("the lapse", lambda: _state(app, receipt) == "lapsed")
    platform.settle()
    # receipt, opening, lapse; the reminders of the 24th and 25th were missed and are recorded, not sent
    assert len(mails(platform, app, receipt["number"])) == 3


def _state(app: App, receipt: Any) -> str:
    return str(app.dossier(receipt["dossier_id"])["information_requests"][0]["state"])
