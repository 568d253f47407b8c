"""The DRC: opened with the deposit, answered in time or late, lapsed; messages twice, stale, early."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from dossier_service.events import handlers
from espace.bus import Incoming
from espace.db import Database
from espace.errors import TransientError

People = Callable[..., Any]
Events = Callable[[], list[tuple[str, int, Any]]]
DUE = "2024-10-25T22:00:00Z"
Deliver = Callable[..., None]


@pytest.fixture
def deliver(database: Database, clock: Any) -> Deliver:
    """Hand an event to its handler, in a transaction, as the consumer does."""

    def hand_over(name: str, subject: str, version: int = 1, **data: Any) -> None:
        event = Incoming(
            id=uuid4(),
            type=f"be.espace.{name}.v1",
            source="/espace/scheduler",
            subject=subject,
            version=version,
            time=datetime(2024, 10, 25, tzinfo=UTC),
            data={
                "deadline_id": subject,
                "owner": "dossier",
                "kind": "information_request",
                "due_at": DUE,
                **data,
            },
        )
        with database.transaction() as unit:
            handlers(clock.legal())[event.type](unit, event)

    return hand_over


@pytest.fixture
def asked(citizen: People, clock: Any) -> Callable[[], tuple[Any, Any]]:
    """A citizen who deposited on Monday the 21st with the DRC box, and the dossier's page."""

    def make() -> tuple[Any, Any]:
        lucie = citizen()
        dossier = lucie.ready(drc=True)
        clock.freeze("2024-10-21T10:00:00+02:00")
        assert lucie.submit(dossier).status_code == 201
        return lucie, lucie.dossier(dossier["id"])

    return make


def names(events: Events) -> list[str]:
    return [name for name, _, _ in events()]


def test_the_deposit_opens_the_request_in_one_transaction(
    asked: Callable[[], tuple[Any, Any]], events: Events
) -> None:
    lucie, dossier = asked()
    (request,) = dossier["information_requests"]
    assert request["element"] == "Le procès-verbal du bureau 12"
    assert request["origin"] == "citizen"
    assert request["due_date"] == "2024-10-25"
    assert request["due_at"] == DUE
    assert request["state"] == "open"
    assert "vendredi 25 octobre 2024" in " ".join(request["reasons"])
    assert dossier["action_required"] is True
    current = next(step for step in dossier["steps"] if step["state"] == "current")
    assert current["label"] == "En Traitement"
    assert [(s["label"], s["state"]) for s in current["substeps"]] == [("DRC", "current")]
    found = events()
    assert [name for name, _, _ in found] == [
        "dossier.submitted",
        "dossier.information_requested",
        "dossier.deadline_set",
    ]
    assert found[0][2]["information_request_id"] == request["id"]
    assert found[1][1] == found[0][1] + 1
    assert found[2][2] == {
        "deadline_id": request["id"],
        "kind": "information_request",
        "due_at": DUE,
        "reminders": [
            {"days_before": 2, "remind_at": "2024-10-23T07:00:00Z"},
            {"days_before": 1, "remind_at": "2024-10-24T07:00:00Z"},
        ],
    }
    receipt = lucie.get(f"/dossiers/{dossier['id']}/receipt")
    assert receipt["information_request"]["due_date"] == "2024-10-25"


def test_without_the_box_no_request_is_opened(citizen: People, events: Events) -> None:
    lucie = citizen()
    dossier = lucie.ready()
    lucie.submit(dossier)
    assert lucie.dossier(dossier["id"])["information_requests"] == []
    assert names(events) == ["dossier.submitted"]


def test_the_signed_claim_stays_required_with_the_box(citizen: People) -> None:
    lucie = citizen()
    dossier = lucie.ready(drc=True)
    bare = lucie.detach(dossier)
    assert lucie.submit(bare).get_json()["code"] == "attachments_missing"


def test_the_words_of_the_element_are_required_with_the_box(citizen: People) -> None:
    lucie = citizen()
    dossier_id = lucie.open()["id"]
    page = lucie.type_in(dossier_id, completeness="drc")
    assert "missing_pieces" in page["errors"]


def test_other_services_see_the_files_of_a_request_once_they_are_sent(asked: Any, issuer: Any) -> None:
    lucie, dossier = asked()

    def told() -> list[dict[str, Any]]:
        citizen, lucie.token = lucie.token, issuer.service("notifier", "dossier")
        (request,) = lucie.get(f"/internal/v1/dossiers/{dossier['id']}")["information_requests"]
        lucie.token = citizen
        return list(request["documents"])

    page = lucie.add_piece(dossier["id"], dossier["information_requests"][0]["id"])
    assert told() == []
    assert lucie.answer(page).status_code == 201
    (piece,) = page["information_requests"][0]["attachments"]
    (sent,) = told()
    assert sent == {name: piece[name] for name in ("document_id", "slot", "filename", "size", "sha256")}


def test_an_answer_in_time_ends_the_request(asked: Any, events: Events, clock: Any) -> None:
    lucie, dossier = asked()
    request = dossier["information_requests"][0]
    clock.freeze("2024-10-25T23:59:59.900000+02:00")
    empty = lucie.answer(dossier)
    assert (empty.status_code, empty.get_json()["code"]) == (422, "attachments_missing")
    page = lucie.add_piece(dossier["id"], request["id"])
    assert page["information_requests"][0]["actions"] == ["attach", "answer"]
    answered = lucie.answer(page, key="answer-1")
    assert answered.status_code == 201
    assert answered.get_json()["late"] is False
    assert lucie.answer(page, key="answer-1").headers["Idempotency-Replayed"] == "true"
    assert lucie.answer(page).get_json()["code"] == "already_answered"
    after = lucie.dossier(dossier["id"])
    (ended,) = after["information_requests"]
    assert (ended["state"], ended["late"], ended["actions"]) == ("answered", False, [])
    assert ended["attachments"][0]["sent"] is True
    assert after["action_required"] is False
    assert names(events)[3:] == ["dossier.information_provided", "dossier.deadline_withdrawn"]
    withdrawn = events()[4]
    assert withdrawn[1] > events()[2][1], "above the version it ends"
    assert withdrawn[2] == {"deadline_id": request["id"], "reason": "answered"}


def test_pieces_may_be_removed_until_the_answer(asked: Any) -> None:
    lucie, dossier = asked()
    request = dossier["information_requests"][0]
    page = lucie.add_piece(dossier["id"], request["id"])
    document = page["information_requests"][0]["attachments"][0]["document_id"]
    path = f"/dossiers/{dossier['id']}/information-requests/{request['id']}/attachments/{document}"
    assert lucie.call("DELETE", path).status_code == 428
    removed = lucie.call("DELETE", path, If_Match=f'"{page["version"]}"').get_json()
    assert removed["information_requests"][0]["attachments"] == []
    assert lucie.answer(page).get_json()["code"] == "attachments_missing"


def test_the_pieces_confirmed_are_the_pieces_sent(asked: Any) -> None:
    lucie, dossier = asked()
    request = dossier["information_requests"][0]
    seen = lucie.add_piece(dossier["id"], request["id"])
    lucie.add_piece(dossier["id"], request["id"])
    assert lucie.answer(seen).get_json()["code"] == "content_changed"


def test_an_expiry_lapses_the_request_once_and_the_dossier_goes_on(
    asked: Any, deliver: Deliver, events: Events, clock: Any
) -> None:
    lucie, dossier = asked()
    request = dossier["information_requests"][0]
    lucie.add_piece(dossier["id"], request["id"])
    clock.freeze("2024-10-26T00:00:00+02:00")
    deliver("deadline.expired", request["id"])
    deliver("deadline.expired", request["id"])
    assert names(events)[3:] == ["dossier.information_request_lapsed"]
    page = lucie.dossier(dossier["id"])
    (lapsed,) = page["information_requests"]
    assert lapsed["state"] == "lapsed"
    assert lapsed["attachments"][0]["sent"] is False, "kept, and marked as not sent"
    assert page["state"] == "submitted"
    assert page["action_required"] is False
    current = next(step for step in page["steps"] if step["state"] == "current")
    assert current["key"] == "processing"
    assert current["substeps"][0]["state"] == "lapsed"


def test_an_early_expiry_is_tried_again_later(asked: Any, deliver: Deliver, events: Events) -> None:
    _, dossier = asked()
    with pytest.raises(TransientError):
        deliver("deadline.expired", dossier["information_requests"][0]["id"])
    assert len(events()) == 3


def test_an_expiry_after_the_answer_unknown_stale_or_of_others_does_nothing(
    asked: Any, deliver: Deliver, events: Events, clock: Any
) -> None:
    lucie, dossier = asked()
    request = dossier["information_requests"][0]
    assert lucie.answer(lucie.add_piece(dossier["id"], request["id"])).status_code == 201
    clock.freeze("2024-10-27T12:00:00+01:00")
    before = events()
    deliver("deadline.expired", request["id"])
    deliver("deadline.expired", str(uuid4()))
    deliver("deadline.expired", request["id"], owner="somebody")
    deliver("deadline.reminder_due", request["id"], days_before=1)
    assert events() == before


def test_a_stale_version_does_not_lapse(
    asked: Any, deliver: Deliver, events: Events, clock: Any, database: Database
) -> None:
    _, dossier = asked()
    with database.transaction() as unit:
        unit.session.execute(text("UPDATE information_requests SET deadline_version = 2"))
    clock.freeze("2024-10-27T12:00:00+01:00")
    request = dossier["information_requests"][0]["id"]
    deliver("deadline.expired", request, version=1)
    assert len(events()) == 3
    deliver("deadline.expired", request, version=2)
    assert names(events)[3:] == ["dossier.information_request_lapsed"]


def test_a_reminder_is_passed_on_only_while_the_request_is_open(
    asked: Any, deliver: Deliver, events: Events, clock: Any
) -> None:
    _, dossier = asked()
    request = dossier["information_requests"][0]["id"]
    clock.freeze("2024-10-24T09:00:00+02:00")
    deliver("deadline.reminder_due", request, days_before=1)
    assert events()[3][0] == "dossier.reminder_due"
    assert events()[3][2]["days_before"] == 1
    clock.freeze("2024-10-26T00:00:00+02:00")
    deliver("deadline.reminder_due", request, days_before=2)
    assert len(events()) == 4, "after the due date nobody is reminded"


def test_a_late_answer_is_kept_and_marked_late_with_the_reason(
    asked: Any, deliver: Deliver, events: Events, clock: Any
) -> None:
    lucie, dossier = asked()
    request = dossier["information_requests"][0]
    clock.freeze("2024-10-26T00:00:00+02:00")
    deliver("deadline.expired", request["id"])
    page = lucie.add_piece(dossier["id"], request["id"])
    assert page["information_requests"][0]["past_due"] is True
    answered = lucie.answer(page)
    assert answered.status_code == 201
    assert answered.get_json()["late"] is True
    assert "samedi 26 octobre 2024" in answered.get_json()["late_reason"]
    assert "vendredi 25 octobre 2024" in answered.get_json()["late_reason"]
    (kept,) = lucie.dossier(dossier["id"])["information_requests"]
    assert (kept["state"], kept["late"]) == ("lapsed", True)
    assert kept["attachments"][0]["sent"] is True
    assert names(events)[3:] == ["dossier.information_request_lapsed", "dossier.information_provided"]
    assert events()[4][2]["late"] is True


def test_a_late_answer_before_the_expiry_message_lapses_first(
    asked: Any, deliver: Deliver, events: Events, clock: Any
) -> None:
    lucie, dossier = asked()
    request = dossier["information_requests"][0]
    page = lucie.add_piece(dossier["id"], request["id"])
    clock.freeze("2024-10-26T00:00:00+02:00")
    assert lucie.answer(page).get_json()["late"] is True
    deliver("deadline.expired", request["id"])
    assert names(events)[3:] == [
        "dossier.information_request_lapsed",
        "dossier.information_provided",
        "dossier.deadline_withdrawn",
    ]


def test_an_answer_stamped_in_time_whose_first_try_failed_is_in_time(
    asked: Any, deliver: Deliver, events: Events, clock: Any, database: Database
) -> None:
    lucie, dossier = asked()
    request = dossier["information_requests"][0]
    page = lucie.add_piece(dossier["id"], request["id"])
    clock.freeze("2024-10-25T23:59:59.900000+02:00")
    _rename(database, "event_log", "event_log_away")
    assert lucie.answer(page, key="a").status_code == 500
    _rename(database, "event_log_away", "event_log")
    clock.freeze("2024-10-26T00:00:02+02:00")
    with pytest.raises(TransientError):
        deliver("deadline.expired", request["id"])  # it waits for the answer that arrived in time
    answered = lucie.answer(page, key="a")
    assert answered.status_code == 201
    assert answered.get_json()["late"] is False
    deliver("deadline.expired", request["id"])
    assert "dossier.information_request_lapsed" not in names(events)


def test_an_answer_that_was_refused_does_not_hold_the_lapse_back(
    asked: Any, deliver: Deliver, events: Events, clock: Any
) -> None:
    lucie, dossier = asked()
    clock.freeze("2024-10-25T23:59:59.900000+02:00")
    assert lucie.answer(dossier).get_json()["code"] == "attachments_missing"
    clock.freeze("2024-10-26T00:00:00+02:00")
    deliver("deadline.expired", dossier["information_requests"][0]["id"])
    assert names(events)[3:] == ["dossier.information_request_lapsed"]


def test_no_instant_is_reserved_for_an_answer_that_is_yet_to_come(
    asked: Any, deliver: Deliver, clock: Any
) -> None:
    """The hash is computed beforehand, the stamp made in time, the piece sent after the lapse: late."""
    lucie, dossier = asked()
    request = dossier["information_requests"][0]
    piece = {"document_id": str(uuid4()), "slot": "complement", "sha256": "5a" * 32, "size": 48213}
    foreseen = {
        **dossier,
        "information_requests": [{**request, "content_sha256": _sha256([piece])}],
    }
    clock.freeze("2024-10-25T23:59:59.900000+02:00")
    assert lucie.answer(foreseen, key="early").get_json()["code"] == "attachments_missing"
    clock.freeze("2024-10-26T00:00:00+02:00")
    deliver("deadline.expired", request["id"])
    clock.freeze("2024-11-26T10:00:00+01:00")
    page = lucie.add_piece(dossier["id"], request["id"], sub=piece["document_id"], sha256=piece["sha256"])
    assert page["information_requests"][0]["content_sha256"] == _sha256([piece]), "it was foreseen rightly"
    answered = lucie.answer(foreseen, key="early")
    assert answered.status_code == 201
    assert answered.get_json()["late"] is True
    assert answered.get_json()["received_at"] == "2024-11-26T09:00:00Z"


def test_withdrawing_the_dossier_ends_its_request(asked: Any, events: Events, deliver: Deliver) -> None:
    lucie, dossier = asked()
    request = dossier["information_requests"][0]
    page = lucie.post(f"/dossiers/{dossier['id']}/withdrawal").get_json()
    assert page["information_requests"][0]["state"] == "withdrawn"
    assert page["action_required"] is False
    deliver("deadline.expired", request["id"])
    assert names(events)[3:] == ["dossier.deadline_withdrawn", "dossier.withdrawn"]


def test_a_withdrawn_dossier_takes_no_answer_to_a_request_that_had_lapsed(
    citizen: People, clock: Any, deliver: Deliver, events: Events
) -> None:
    lucie = citizen()
    dossier = lucie.ready(drc=True)
    assert lucie.submit(dossier).status_code == 201
    request = lucie.dossier(dossier["id"])["information_requests"][0]
    seen = lucie.add_piece(dossier["id"], request["id"])
    clock.freeze("2024-10-20T00:00:00+02:00")  # four days after the deposit, the window still open
    deliver("deadline.expired", request["id"])
    page = lucie.post(f"/dossiers/{dossier['id']}/withdrawal").get_json()
    (ended,) = page["information_requests"]
    assert (ended["state"], ended["actions"], ended["slot"]["can_add"]) == ("withdrawn", [], False)
    refused = lucie.answer(seen)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "request_withdrawn")
    assert names(events)[3:] == ["dossier.information_request_lapsed", "dossier.withdrawn"]


@pytest.mark.parametrize("outcome", ["clean", "infected", "not_scanned"])
def test_a_page_says_what_became_of_each_scan(asked: Any, deliver: Deliver, outcome: str) -> None:
    lucie, dossier = asked()
    page = lucie.add_piece(dossier["id"], dossier["information_requests"][0]["id"])

    def shown(page: Any) -> list[str]:
        pieces = page["attachments"] + page["information_requests"][0]["attachments"]
        return [piece["scan"] for piece in pieces]

    assert shown(page) == ["pending", "pending"]
    (of_dossier,), (of_request,) = page["attachments"], page["information_requests"][0]["attachments"]
    for piece, expected in ((of_dossier, [outcome, "pending"]), (of_request, [outcome, outcome])):
        document_id = piece["document_id"]
        deliver("document.scanned", document_id, document_id=document_id, outcome=outcome)
        assert shown(lucie.dossier(dossier["id"])) == expected
    assert lucie.dossier(dossier["id"])["state"] == "submitted", "whatever it is, the deposit stands"


def test_a_scan_is_projected_whenever_it_comes_and_an_older_one_is_ignored(
    citizen: People, deliver: Deliver
) -> None:
    lucie = citizen()
    dossier_id = lucie.open()["id"]
    document_id = str(uuid4())

    def scan(version: int, outcome: str) -> None:
        deliver("document.scanned", document_id, version, document_id=document_id, outcome=outcome)

    scan(2, "infected")
    lucie.attach(dossier_id, sub=document_id)
    assert lucie.dossier(dossier_id)["attachments"][0]["scan"] == "infected"
    scan(1, "clean")
    scan(2, "infected")
    assert lucie.dossier(dossier_id)["attachments"][0]["scan"] == "infected"
    scan(3, "clean")
    assert lucie.dossier(dossier_id)["attachments"][0]["scan"] == "clean"


def _sha256(value: Any) -> str:
    """As anybody computes it: JSON with sorted keys and without spaces."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _rename(database: Database, old: str, new: str) -> None:
    with database.transaction() as unit:
        unit.session.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))
