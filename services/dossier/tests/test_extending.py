"""After an outage, what was due meanwhile gets more days, and its citizen is told."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

from dossier_service.claims.commands.extending import extend_requests
from dossier_service.claims.practice import Desk
from espace.db import Database
from services.dossier.tests.test_information_requests import Deliver, Events, asked, deliver, names

__all__ = ["asked", "deliver"]
Asked = Callable[[], tuple[Any, Any]]
DUE = date(2024, 10, 25)


def extend(database: Database, days: int = 2, **options: Any) -> list[Any]:
    return extend_requests(database, Desk.open(), DUE, DUE, days, **options)


def test_an_open_request_moves_with_its_reminders_and_says_why(
    asked: Asked, events: Events, database: Database
) -> None:
    lucie, dossier = asked()
    before = dossier["information_requests"][0]
    (moved,) = extend(database)
    assert (moved.number, moved.was_due, moved.due) == (dossier["number"], DUE, date(2024, 10, 27))
    (request,) = lucie.dossier(dossier["id"])["information_requests"]
    # The clocks go back in the night to the 27th: that day ends at 23:00 UTC.
    assert (request["due_date"], request["due_at"]) == ("2024-10-27", "2024-10-27T23:00:00Z")
    *kept, why = request["reasons"]
    assert kept == before["reasons"]
    assert why == (
        "Prolongation : la plateforme n’a pas été disponible. "
        "L’échéance est reportée au dimanche 27 octobre 2024."
    )
    told, set_again = events()[-2:]
    assert (told[0], told[2]["due_date"]) == ("dossier.information_requested", "2024-10-27")
    assert (set_again[0], set_again[1]) == ("dossier.deadline_set", 2)
    assert set_again[2]["due_at"] == "2024-10-27T23:00:00Z"
    assert [one["remind_at"] for one in set_again[2]["reminders"]] == [
        "2024-10-25T07:00:00Z",
        "2024-10-26T07:00:00Z",
    ]


def test_one_that_has_lapsed_is_open_again_and_an_old_expiry_does_not_end_it(
    asked: Asked, deliver: Deliver, database: Database, clock: Any, events: Events
) -> None:
    lucie, dossier = asked()
    (request,) = dossier["information_requests"]
    clock.freeze("2024-10-26T00:00:00+02:00")
    deliver("deadline.expired", request["id"])
    assert lucie.dossier(dossier["id"])["information_requests"][0]["state"] == "lapsed"
    assert len(extend(database)) == 1
    (again,) = lucie.dossier(dossier["id"])["information_requests"]
    assert again["state"] == "open"
    deliver("deadline.expired", request["id"])
    assert lucie.dossier(dossier["id"])["information_requests"][0]["state"] == "open"
    clock.freeze("2024-10-28T00:00:00+01:00")
    deliver("deadline.expired", request["id"], version=2)
    assert lucie.dossier(dossier["id"])["information_requests"][0]["state"] == "lapsed"
    assert names(events).count("dossier.information_request_lapsed") == 2


def test_what_is_answered_withdrawn_or_due_on_another_day_stays(
    asked: Asked, database: Database, events: Events
) -> None:
    lucie, dossier = asked()
    assert extend_requests(database, Desk.open(), date(2024, 10, 26), date(2024, 10, 30), 1) == []
    lucie.post(f"/dossiers/{dossier['id']}/withdrawal", {})
    before = names(events)
    assert extend(database) == []
    assert names(events) == before


def test_a_dry_run_changes_nothing(asked: Asked, database: Database, events: Events) -> None:
    lucie, dossier = asked()
    before = names(events)
    assert len(extend(database, dry_run=True)) == 1
    assert names(events) == before
    assert lucie.dossier(dossier["id"])["information_requests"][0]["due_date"] == "2024-10-25"


def test_the_command_says_what_moved_and_refuses_what_it_cannot_read(
    asked: Asked, database: Database
) -> None:
    _, dossier = asked()

    def command(*wish: str) -> "subprocess.CompletedProcess[str]":
        program = [sys.executable, "-W", "error", "-m", "dossier_service", "extend-requests"]
        return subprocess.run(
            [*program, *wish, "--by", "duty manager", "--because", "outage of the 25th"],
            env={**os.environ, "ESPACE_DATABASE_URL": database.url},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    wish = ("--due", "2024-10-25", "--days", "1")
    foreseen = command(*wish, "--dry-run")
    assert (foreseen.returncode, "1 would move" in foreseen.stdout) == (0, True), foreseen.stderr
    done = command(*wish)
    assert done.returncode == 0, done.stderr
    assert f"{dossier['number']}  2024-10-25 -> 2024-10-26" in done.stdout
    assert '"because": "outage of the 25th"' in done.stdout
    assert command(*wish).returncode == 1, "it is due on another day now"
    for wrong in (("--due", "25/10/2024", "--days", "1"), ("--due", "2024-10-25", "--days", "400")):
        assert command(*wrong).returncode == 2
    assert "such as 2024-10-25" in command("--due", "25/10/2024", "--days", "1").stderr
