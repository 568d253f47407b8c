"""The deposit: in time or not, once or never, whatever is repeated or races."""

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from dossier_service.claims.attempts import forget_attempts
from dossier_service.claims.number import is_number
from espace.db import Database
from espace.testing import until

People = Callable[..., Any]
Events = Callable[[], list[tuple[str, int, Any]]]
NAMUR, LIEGE, CHARLEROI = "92094", "62063", "52011"
LAST_MOMENT = "2024-10-21T23:59:59.900000+02:00"
TOO_LATE = "2024-10-22T00:00:00+02:00"


def test_a_deposit_gives_a_receipt_with_number_instant_and_hashes(citizen: People, events: Events) -> None:
    lucie = citizen()
    dossier = lucie.ready()
    response = lucie.submit(dossier)
    assert response.status_code == 201
    receipt = response.get_json()
    assert is_number(receipt["number"])
    assert receipt["number"].startswith("ME-2024-")
    assert receipt["received_at"] == "2024-10-15T07:00:00Z"
    assert receipt["content_sha256"] == dossier["content_sha256"]
    assert receipt["citizen"] == {"given_name": "Lucie", "family_name": "Lambert"}
    assert receipt["documents"][0]["slot_title"] == "Réclamation datée et signée"
    assert lucie.get(f"/dossiers/{dossier['id']}/receipt") == receipt
    page = lucie.dossier(dossier["id"])
    assert page["state"] == "submitted"
    assert [step["key"] for step in page["steps"] if step["state"] == "current"] == ["submitted"]
    assert page["actions"] == ["withdraw"]
    ((name, version, data),) = events()
    assert (name, version) == ("dossier.submitted", page["version"])
    assert data["number"] == receipt["number"]
    assert data["information_request_id"] is None
    assert data["values_sha256"] == receipt["values_sha256"]
    content = {"values": data["values_sha256"], "pieces": data["documents"]}
    assert data["content_sha256"] == _sha256(content), "whoever reads the event can compute it"


@pytest.mark.parametrize("commune", [LIEGE, CHARLEROI])
def test_a_report_of_the_14th_gives_one_more_day(citizen: People, clock: Any, commune: str) -> None:
    marc = citizen(commune)
    dossier = marc.ready()
    assert dossier["window"]["pv_date"] == "2024-10-14"
    assert dossier["window"]["fictitious"] is True
    clock.freeze(TOO_LATE)
    assert marc.submit(dossier).status_code == 201


def test_the_last_moment_is_in_time_and_the_receipt_says_the_21st(citizen: People, clock: Any) -> None:
    lucie = citizen(NAMUR)
    dossier = lucie.ready()
    clock.freeze(LAST_MOMENT)
    receipt = lucie.submit(dossier)
    assert receipt.status_code == 201
    assert receipt.get_json()["received_at"] == "2024-10-21T21:59:59.900000Z"
    assert receipt.get_json()["received_date"] == "2024-10-21"
    assert "21 octobre 2024" in receipt.get_json()["received_local"]


def test_midnight_is_too_late_and_the_refusal_explains_itself(
    citizen: People, clock: Any, events: Events
) -> None:
    lucie = citizen(NAMUR)
    dossier = lucie.ready()
    clock.freeze(TOO_LATE)
    response = lucie.submit(dossier)
    assert response.status_code == 409
    problem = response.get_json()
    assert problem["code"] == "window_closed"
    assert "lundi 21 octobre 2024" in problem["detail"]
    assert "mardi 22 octobre 2024" in problem["detail"]
    assert problem["reasons"]
    assert "8 jours de calendrier" in " ".join(problem["reasons"])
    assert problem["window"]["closes_at"] == "2024-10-21T22:00:00Z"
    page = lucie.dossier(dossier["id"])
    assert page["number"] is None
    assert page["window"]["state"] == "closed"
    assert "submit" not in page["actions"]
    assert events() == []


def test_deposits_and_refusals_are_counted_by_procedure(citizen: People, clock: Any) -> None:
    def counted(outcome: str) -> float:
        labels = {"procedure": "reclamation-electorale", "outcome": outcome}
        return REGISTRY.get_sample_value("espace_submissions_total", labels) or 0

    accepted, closed = counted("accepted"), counted("window_closed")
    lucie = citizen(NAMUR)
    assert lucie.submit(lucie.ready()).status_code == 201
    late = citizen(NAMUR)
    dossier = late.ready()
    clock.freeze(TOO_LATE)
    assert late.submit(dossier).status_code == 409
    assert (counted("accepted"), counted("window_closed")) == (accepted + 1, closed + 1)


@pytest.mark.parametrize(
    "values",
    [{"election": " communales"}, {"election": "provinciales", "district": "namur\u00a0"}],
)
def test_spaces_around_a_choice_open_no_way_around_the_window_and_the_limit(
    citizen: People, clock: Any, values: dict[str, str]
) -> None:
    lucie = citizen()
    first, second, third = (lucie.ready(**values) for _ in range(3))
    assert lucie.submit(first).status_code == 201
    assert lucie.submit(second).get_json()["code"] == "claim_exists"
    clock.freeze("2024-10-22T00:00:00+02:00")
    assert lucie.submit(third).get_json()["code"] == "window_closed"


def test_a_double_click_gives_one_answer(citizen: People, events: Events) -> None:
    lucie = citizen()
    dossier = lucie.ready()
    first = lucie.submit(dossier, key="confirm-1")
    second = lucie.submit(dossier, key="confirm-1")
    assert second.status_code == 201
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.get_json() == first.get_json()
    other_key = lucie.submit(dossier)
    assert (other_key.status_code, other_key.get_json()["code"]) == (409, "already_submitted")
    assert [name for name, _, _ in events()] == ["dossier.submitted"]


def test_a_key_used_for_another_content_is_refused(citizen: People) -> None:
    lucie = citizen()
    dossier = lucie.ready()
    stale = lucie.submit({**dossier, "content_sha256": "0" * 64}, key="k")
    assert (stale.status_code, stale.get_json()["code"]) == (409, "content_changed")
    reused = lucie.submit(dossier, key="k")
    assert (reused.status_code, reused.get_json()["code"]) == (422, "idempotency_key_reused")
    assert lucie.submit(dossier, key="k2").status_code == 201
    again = lucie.submit({**dossier, "content_sha256": "0" * 64}, key="k2")
    assert (again.status_code, again.get_json()["code"]) == (422, "idempotency_key_reused")


def test_a_first_try_that_failed_keeps_its_instant(citizen: People, clock: Any, database: Database) -> None:
    lucie = citizen(NAMUR)
    dossier = lucie.ready()
    clock.freeze(LAST_MOMENT)
    _break(database)
    assert lucie.submit(dossier, key="first").status_code == 500
    _mend(database)
    clock.freeze("2024-10-22T00:03:00+02:00")
    retried = lucie.submit(dossier, key="first")
    assert retried.status_code == 201
    assert retried.get_json()["received_at"] == "2024-10-21T21:59:59.900000Z"


def test_a_new_key_after_the_failure_is_a_new_arrival(
    citizen: People, clock: Any, database: Database
) -> None:
    lucie = citizen(NAMUR)
    dossier = lucie.ready()
    clock.freeze(LAST_MOMENT)
    _break(database)
    assert lucie.submit(dossier, key="first").status_code == 500
    _mend(database)
    clock.freeze(TOO_LATE)
    assert lucie.submit(dossier, key="second").get_json()["code"] == "window_closed"


def test_a_stamp_holds_for_the_content_it_was_made_for_only(citizen: People, clock: Any) -> None:
    """Stamped in time without the file, completed after midnight: not in time."""
    lucie = citizen(NAMUR)
    dossier = lucie.ready()
    bare = lucie.detach(dossier)
    clock.freeze(LAST_MOMENT)
    missing = lucie.submit(bare, key="early")
    assert missing.status_code == 422
    assert missing.get_json()["errors"] == {
        "reclamation": ["Ajoutez un fichier à « Réclamation datée et signée »."]
    }
    clock.freeze(TOO_LATE)
    completed = lucie.attach(dossier["id"]).get_json()
    assert lucie.submit(completed, key="early").get_json()["code"] == "idempotency_key_reused"
    assert lucie.submit(completed).get_json()["code"] == "window_closed"


def test_no_instant_is_reserved_for_content_that_is_yet_to_come(citizen: People, clock: Any) -> None:
    """The hash of a deposit can be computed beforehand; its stamp counts from when the file is there."""
    lucie = citizen(NAMUR)
    dossier = lucie.ready()
    rehearsal = lucie.detach(dossier)
    foreseen = {"id": dossier["id"], "content_sha256": dossier["content_sha256"]}
    clock.freeze(LAST_MOMENT)
    assert lucie.submit(foreseen, key="early").get_json()["code"] == "content_changed"
    clock.freeze(TOO_LATE)
    again = lucie.attach(dossier["id"], **_as_before(dossier)).get_json()
    assert again["content_sha256"] == foreseen["content_sha256"] != rehearsal["content_sha256"]
    refused = lucie.submit(foreseen, key="early").get_json()
    assert (refused["code"], refused["received_at"]) == ("window_closed", "2024-10-21T22:00:00Z")


def test_content_that_came_after_a_stamp_makes_the_retry_a_new_arrival(
    citizen: People, clock: Any, database: Database
) -> None:
    lucie = citizen(NAMUR)
    dossier = lucie.ready()
    lucie.detach(dossier)
    foreseen = {"id": dossier["id"], "content_sha256": dossier["content_sha256"]}
    clock.freeze("2024-10-16T10:00:00+02:00")
    assert lucie.submit(foreseen, key="k").get_json()["code"] == "content_changed"
    clock.freeze("2024-10-17T10:00:00+02:00")
    lucie.attach(dossier["id"], **_as_before(dossier))
    clock.freeze(LAST_MOMENT)
    _break(database)
    assert lucie.submit(foreseen, key="k").status_code == 500
    _mend(database)
    clock.freeze(TOO_LATE)
    receipt = lucie.submit(foreseen, key="k")
    assert receipt.status_code == 201, "which keeps its own instant"
    assert receipt.get_json()["received_at"] == "2024-10-21T21:59:59.900000Z"


def test_a_stranger_leaves_no_stamp(citizen: People, database: Database) -> None:
    lucie, marc = citizen(), citizen()
    dossier = lucie.ready(drc=True)
    assert lucie.submit(dossier).status_code == 201
    before = _stamps(database)
    request = lucie.add_piece(dossier["id"], lucie.dossier(dossier["id"])["information_requests"][0]["id"])
    assert marc.submit(dossier).status_code == 404
    assert marc.answer(request).status_code == 404
    assert lucie.submit({**dossier, "id": str(uuid4())}).status_code == 404
    assert _stamps(database) == before == 1


def test_old_stamps_are_forgotten(citizen: People, database: Database) -> None:
    lucie = citizen()
    dossier = lucie.ready()
    assert lucie.submit({**dossier, "content_sha256": "0" * 64}).status_code == 409
    assert lucie.submit(dossier).status_code == 201
    assert not forget_attempts(database)
    assert _stamps(database) == 2
    with database.transaction() as unit:
        unit.session.execute(text("UPDATE receipt_attempts SET arrived_at = arrived_at - interval '7 days'"))
    assert not forget_attempts(database)
    assert _stamps(database) == 0
    assert lucie.get(f"/dossiers/{dossier['id']}/receipt")["received_at"] == "2024-10-15T07:00:00Z"


def test_what_is_not_validated_is_not_deposited(citizen: People) -> None:
    lucie = citizen()
    dossier = lucie.ready()
    lucie.type_in(dossier["id"], electoral_list="Liste 8")
    response = lucie.submit(dossier)
    assert (response.status_code, response.get_json()["code"]) == (409, "not_validated")


def test_a_deposited_dossier_does_not_change_any_more(citizen: People) -> None:
    lucie = citizen()
    dossier = lucie.ready()
    lucie.submit(dossier)
    version = lucie.dossier(dossier["id"])["version"]
    path = f"/dossiers/{dossier['id']}"
    document = dossier["attachments"][0]["document_id"]
    match = {"If_Match": f'"{version}"'}
    edits = [
        lucie.call("PATCH", f"{path}/values", {"values": {"electoral_list": "x"}}, **match),
        lucie.call("DELETE", f"{path}/attachments/{document}", **match),
        lucie.attach(dossier["id"], "autres"),
        lucie.post(f"{path}/validation"),
    ]
    assert [edit.get_json()["code"] for edit in edits] == ["not_editable"] * 4


def test_one_claim_per_election_and_constituency_until_it_is_withdrawn(
    citizen: People, events: Events
) -> None:
    lucie = citizen()
    first, second = lucie.ready(), lucie.ready()
    provincial = lucie.ready(election="provinciales", district="namur")
    assert lucie.submit(first).status_code == 201
    refused = lucie.submit(second)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "claim_exists")
    assert lucie.submit(provincial).status_code == 201, "another election is another claim"
    withdrawn = lucie.post(f"/dossiers/{first['id']}/withdrawal")
    assert withdrawn.get_json()["state"] == "withdrawn"
    assert lucie.submit(second).status_code == 201
    assert lucie.post(f"/dossiers/{first['id']}/withdrawal").get_json()["code"] == "not_submitted"
    assert [name for name, _, _ in events()].count("dossier.withdrawn") == 1


def test_a_claim_is_withdrawn_only_while_the_window_is_open(citizen: People, clock: Any) -> None:
    lucie = citizen()
    dossier = lucie.ready()
    lucie.submit(dossier)
    clock.freeze(TOO_LATE)
    assert lucie.post(f"/dossiers/{dossier['id']}/withdrawal").get_json()["code"] == "window_closed"


@pytest.mark.asynchronous
def test_a_withdrawal_that_waits_over_midnight_arrived_in_time(
    citizen: People, clock: Any, database: Database
) -> None:
    lucie = citizen()
    dossier = lucie.ready()
    assert lucie.submit(dossier).status_code == 201
    clock.freeze(LAST_MOMENT)
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as unit:
            unit.session.execute(text("SELECT FROM dossiers FOR UPDATE"))
            withdrawing = pool.submit(lucie.post, f"/dossiers/{dossier['id']}/withdrawal")
            until("the withdrawal waits", lambda: _waiting(database))
            clock.freeze(TOO_LATE)
        assert withdrawing.result().status_code == 200, withdrawing.result().text
    assert lucie.dossier(dossier["id"])["withdrawn_at"] == "2024-10-21T21:59:59.900000Z"


@pytest.mark.asynchronous
def test_fifty_parallel_confirms_have_one_effect(citizen: People, events: Events, database: Database) -> None:
    lucie = citizen()
    dossier = lucie.ready()
    keys = [f"key-{n % 5}" for n in range(50)]
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda key: lucie.submit(dossier, key=key), keys))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.get_json()["number"] for answer in answers if answer.status_code == 201}) == 1
    assert [name for name, _, _ in events()] == ["dossier.submitted"]
    with database.session() as session:
        assert session.execute(text("SELECT count(*) FROM dossiers WHERE number IS NOT NULL")).scalar() == 1


@pytest.mark.asynchronous
def test_parallel_deposits_of_two_dossiers_for_one_constituency_let_one_through(
    citizen: People, events: Events
) -> None:
    lucie = citizen()
    dossiers = [lucie.ready() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lucie.submit, dossiers))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert [name for name, _, _ in events()] == ["dossier.submitted"]


@pytest.mark.asynchronous
def test_removing_a_file_races_with_the_deposit_and_one_wins(citizen: People, events: Events) -> None:
    for _ in range(5):
        lucie = citizen()
        dossier = lucie.ready()
        document = dossier["attachments"][0]["document_id"]
        path = f"/dossiers/{dossier['id']}/attachments/{document}"

        def remove(version: int = dossier["version"], path: str = path, lucie: Any = lucie) -> Any:
            return lucie.call("DELETE", path, If_Match=f'"{version}"')

        with ThreadPoolExecutor(2) as pool:
            removing, submitting = pool.submit(remove), pool.submit(lucie.submit, dossier)
            outcome = (removing.result().status_code, submitting.result().status_code)
        page = lucie.dossier(dossier["id"])
        if page["state"] == "submitted":
            assert outcome in ((409, 201), (412, 201))
            assert len(page["attachments"]) == 1
        else:
            assert outcome == (200, 409)
            assert page["attachments"] == []


def test_another_citizens_dossier_looks_like_an_unknown_one(citizen: People) -> None:
    lucie, marc = citizen(), citizen()
    dossier = lucie.ready(drc=True)
    lucie.submit(dossier)
    request = lucie.dossier(dossier["id"])["information_requests"][0]["id"]
    hash_, document = "0" * 64, dossier["attachments"][0]["document_id"]
    statement = marc.documents.statement(marc.id, dossier["id"], "reclamation")
    calls = [
        ("GET", "", None),
        ("GET", "/receipt", None),
        ("GET", "/declaration", None),
        ("PATCH", "/values", {"values": {}}),
        ("POST", "/validation", {}),
        ("POST", "/attachments", {"slot": "reclamation", "statement": statement}),
        ("DELETE", f"/attachments/{document}", None),
        ("POST", "/submission", {"content_sha256": hash_}),
        ("POST", "/withdrawal", {}),
        ("POST", f"/information-requests/{request}/answer", {"content_sha256": hash_}),
        ("DELETE", f"/information-requests/{request}/attachments/{document}", None),
    ]
    before = lucie.dossier(dossier["id"])
    for method, path, body in calls:
        bodies = []
        for dossier_id in (dossier["id"], str(uuid4())):
            if body and "statement" in body:
                statement = marc.documents.statement(marc.id, dossier_id, "reclamation")
                body = {**body, "statement": statement}
            response = marc.call(method, f"/dossiers/{dossier_id}{path}", body, If_Match='"1"')
            assert response.status_code == 404, (method, path)
            bodies.append({**response.get_json(), "instance": None})
        assert bodies[0] == bodies[1], (method, path)
    assert lucie.dossier(dossier["id"]) == before
    assert marc.get("/dossiers")["items"] == []


def test_the_list_is_paged_sorted_and_filtered(citizen: People) -> None:
    lucie = citizen()
    dossier = lucie.ready(drc=True)
    lucie.submit(dossier)
    for _ in range(3):
        lucie.open("question-administration")
    first = lucie.get("/dossiers?page_size=3")
    assert (first["total"], len(first["items"])) == (4, 3)
    assert len(lucie.get("/dossiers?page_size=3&page=2")["items"]) == 1
    (deposited,) = lucie.get("/dossiers?state=submitted&language=nl")["items"]
    assert deposited["action_required"] is True
    assert deposited["substep"]["label"] == "DRC"
    assert deposited["due_date"] == "2024-10-19"
    assert deposited["subtitle"] == "gemeenteraadsverkiezingen – Namen"
    assert lucie.get("/dossiers?sort=number")["items"][0]["id"] == dossier["id"]
    assert lucie.call("GET", "/dossiers?state=x").status_code == 422
    assert lucie.call("GET", "/dossiers?page=0").status_code == 422


def test_other_services_read_facts_with_their_own_token(citizen: People, issuer: Any) -> None:
    lucie = citizen()
    dossier = lucie.ready(drc=True)
    lucie.submit(dossier)
    path = f"/internal/v1/dossiers/{dossier['id']}"
    assert lucie.call("GET", path).status_code == 401
    lucie.token = issuer.service("notifier", "dossier")
    found = lucie.get(path)
    assert found["citizen_id"] == str(lucie.id)
    assert found["titles"]["fr"].startswith("Élections locales du 13 octobre 2024")
    assert set(found["information_requests"][0]["reasons"]) == {"fr", "nl", "de", "en"}
    lucie.token = issuer.service("notifier", "profile")
    assert lucie.call("GET", path).status_code == 401


def _as_before(dossier: Any) -> dict[str, Any]:
    """The claims of a statement about the file that a dossier had."""
    (piece,) = dossier["attachments"]
    return {"sub": piece["document_id"], **{name: piece[name] for name in ("filename", "size", "sha256")}}


def _sha256(value: Any) -> str:
    """As anybody computes it: JSON with sorted keys and without spaces."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _stamps(database: Database) -> int:
    with database.session() as session:
        return int(session.execute(text("SELECT count(*) FROM receipt_attempts")).scalar_one())


def _waiting(database: Database) -> bool:
    with database.session() as session:
        waits = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return session.execute(text(waits)).first() is not None


def _break(database: Database) -> None:
    """Make every deposit fail in the middle of its work."""
    with database.transaction() as unit:
        unit.session.execute(text("ALTER TABLE event_log RENAME TO event_log_away"))


def _mend(database: Database) -> None:
    with database.transaction() as unit:
        unit.session.execute(text("ALTER TABLE event_log_away RENAME TO event_log"))
