"""The domain alone: states, hashes, numbers, days."""

import copy
import dataclasses
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any
from uuid import uuid4

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dossier_service.claims.model import Dossier, DossierRefused, OutsideWindow, SlotsEmpty
from dossier_service.claims.number import is_number, number
from dossier_service.claims.practice import Desk, Practice
from dossier_service.information_requests.model import InformationRequest, RequestRefused
from dossier_service.pieces import FileFacts, sha256
from dossier_service.procedures.loader import load

FILE = files("dossier_service.procedures") / "data" / "reclamation-electorale.v1.yaml"
NOW = datetime(2024, 10, 21, 8, tzinfo=UTC)
IDENTITY = {
    "given_name": "Lucie",
    "family_name": "Lambert",
    "email": "lucie@example.be",
    "address": {"street": "Rue de Fer", "number": "12", "postal_code": "5000", "locality": "Namur"},
    "commune_ins": "92094",
}
ANSWERS = {
    "election": "communales",
    "electoral_list": "Liste 7",
    "completeness": "drc",
    "missing_pieces": "Le procès-verbal",
    "sworn_candidate": True,
    "sworn_truth": True,
}


@pytest.fixture(scope="module")
def practice() -> Practice:
    return Desk.open().newest("reclamation-electorale")


def draft(practice: Practice) -> Dossier:
    return Dossier(
        id=uuid4(),
        citizen_id=uuid4(),
        procedure=practice.procedure.key,
        procedure_version=1,
        prefilled=practice.prefill(IDENTITY),
        created_at=NOW,
        saved_at=NOW,
    )


def file_of(dossier: Dossier, slot: str = "reclamation", **facts: Any) -> FileFacts:
    given = {
        "document_id": uuid4(),
        "filename": "a.pdf",
        "size": 10,
        "sha256": "ab" * 32,
        "content_type": "application/pdf",
    }
    owner = {"dossier_id": dossier.id, "owner_id": dossier.citizen_id, "slot": slot}
    return FileFacts(**{**given, **owner, **facts})


def ready(practice: Practice, at: datetime = NOW) -> Dossier:
    dossier = draft(practice)
    dossier.type_in(practice, dict(ANSWERS), at)
    dossier.validate(practice, at)
    dossier.attach(practice, file_of(dossier), at)
    return dossier


def deposited(practice: Practice) -> Dossier:
    dossier = ready(practice)
    dossier.check_depositable(practice, NOW, str(dossier.content_sha256()))
    dossier.deposit(practice, NOW, number(2024, 1))
    return dossier


def test_the_states_follow_one_another_and_no_step_is_skipped(practice: Practice) -> None:
    dossier = draft(practice)
    with pytest.raises(DossierRefused, match="not_validated"):
        dossier.check_depositable(practice, NOW, "x")
    with pytest.raises(DossierRefused, match="not_submitted"):
        dossier.withdraw(practice, NOW)
    dossier = deposited(practice)
    for act in (
        lambda: dossier.type_in(practice, {}, NOW),
        lambda: dossier.validate(practice, NOW),
        lambda: dossier.attach(practice, file_of(dossier), NOW),
        lambda: dossier.detach(uuid4(), NOW),
    ):
        with pytest.raises(DossierRefused, match="not_editable"):
            act()
    with pytest.raises(DossierRefused, match="already_submitted"):
        dossier.check_depositable(practice, NOW, str(dossier.content_sha256()))
    dossier.withdraw(practice, NOW)
    assert dossier.unique_key is None
    with pytest.raises(DossierRefused, match="not_submitted"):
        dossier.withdraw(practice, NOW)
    with pytest.raises(DossierRefused, match="not_editable"):
        dossier.check_depositable(practice, NOW, str(dossier.content_sha256()))


def test_without_the_constituency_that_a_window_is_of_nothing_is_deposited(practice: Practice) -> None:
    dossier = ready(practice)
    dossier.prefilled = {}
    with pytest.raises(DossierRefused, match="not_validated"):
        dossier.check_depositable(practice, NOW, str(dossier.content_sha256()))


def test_a_claim_of_one_election_day_leaves_the_next_one_free(practice: Practice) -> None:
    assert practice.election is not None
    values = draft(practice).values | ANSWERS
    later = copy.copy(practice.election)
    later.key = "local-2030-10-13"
    of_next_day = dataclasses.replace(practice, election=later)
    assert practice.unique_key(values) == practice.unique_key(dict(values))
    assert practice.unique_key(values) != of_next_day.unique_key(values)


def test_the_hash_covers_values_and_files_and_not_their_order(practice: Practice) -> None:
    dossier = ready(practice)
    first = dossier.content_sha256()
    dossier.attach(practice, file_of(dossier, "autres"), NOW)
    second = dossier.content_sha256()
    assert first != second
    dossier.attachments.reverse()
    assert dossier.content_sha256() == second
    assert sha256({"b": 1, "a": "é"}) == sha256({"a": "é", "b": 1})


def test_hidden_answers_do_not_count(practice: Practice) -> None:
    one, other = draft(practice), draft(practice)
    one.type_in(practice, dict(ANSWERS), NOW)
    other.type_in(practice, {**ANSWERS, "district": "namur"}, NOW)
    one.validate(practice, NOW)
    other.validate(practice, NOW)
    assert one.values_sha256 == other.values_sha256
    assert "district" not in practice.declared(other.values)


def test_the_window_is_open_from_the_report_to_before_midnight(practice: Practice) -> None:
    closes = datetime(2024, 10, 21, 22, tzinfo=UTC)
    opens = datetime(2024, 10, 12, 22, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    dossier = ready(practice, opens - tick)
    seen = str(dossier.content_sha256())
    for instant in (opens, closes - tick):
        dossier.check_depositable(practice, instant, seen)
    for instant in (opens - tick, closes):
        with pytest.raises(OutsideWindow):
            dossier.check_depositable(practice, instant, seen)


@pytest.mark.parametrize("late", ["type_in", "validate", "attach", "detach"])
def test_nothing_is_deposited_before_it_was_there(practice: Practice, late: str) -> None:
    """Stamped at noon, changed at one o'clock, whatever the change: the stamp is not of this content."""
    noon = NOW + timedelta(hours=4)
    one = noon + timedelta(hours=1)
    dossier = ready(practice)
    extra = file_of(dossier, "autres")
    if late == "detach":
        dossier.attach(practice, extra, NOW)
    match late:
        case "type_in" | "validate":
            dossier.type_in(practice, {"electoral_list": "Liste 8"}, NOW if late == "validate" else one)
            dossier.validate(practice, one)
        case "attach":
            dossier.attach(practice, extra, one)
        case "detach":
            dossier.detach(extra.document_id, one)
    seen = str(dossier.content_sha256())
    with pytest.raises(DossierRefused, match="content_changed"):
        dossier.check_depositable(practice, noon, seen)
    dossier.check_depositable(practice, one, seen)


def test_an_answer_does_not_arrive_before_its_pieces(practice: Practice) -> None:
    policy = practice.procedure.information_request
    assert policy is not None
    request = _asked(practice, NOW)
    piece = file_of(draft(practice), "complement")
    request.add(piece, policy, NOW + timedelta(hours=1))
    with pytest.raises(RequestRefused, match="content_changed"):
        request.answer(NOW, request.content_sha256)
    request.answer(NOW + timedelta(hours=1), request.content_sha256)


def test_a_withdrawal_that_arrived_before_the_deposit_takes_nothing_back(practice: Practice) -> None:
    dossier = deposited(practice)
    with pytest.raises(DossierRefused, match="not_submitted"):
        dossier.withdraw(practice, NOW - timedelta(seconds=1))
    dossier.withdraw(practice, NOW)


def test_a_procedure_names_its_fields_as_it_likes() -> None:
    """Another file with other names for the same questions: window, limit, districts and subtitle hold."""
    text = FILE.read_text(encoding="utf-8")
    names = {
        "election": "scrutin",
        "commune": "ma_commune",
        "province": "ma_province",
        "district": "mon_district",
    }
    data = _renamed(yaml.safe_load(text), {**names, "family_name": "nom", "given_name": "prenom"})
    other = Desk.open([load(yaml.safe_dump(data, allow_unicode=True), "other.yaml")])
    practice = other.newest("reclamation-electorale")
    known = practice.prefill(IDENTITY)
    assert known["ma_commune"] == "92094"
    municipal = {**known, "scrutin": "communales"}
    provincial = {**known, "scrutin": "provinciales", "mon_district": "namur"}
    for values, place in ((municipal, "Namur"), (provincial, "Namur")):
        window = practice.window(values)
        assert window is not None
        assert window.deadline.date.isoformat() == "2024-10-21"
        assert practice.subtitle(values, "fr") == f"Élections {values['scrutin']} – {place}"
    assert practice.unique_key(municipal) != practice.unique_key(provincial)
    district = practice.procedure.field("mon_district")
    assert district is not None
    assert "namur" in {choice.value for choice in practice.choices(district, provincial)}
    assert practice.window({**known, "scrutin": "provinciales"}) is None
    assert practice.subtitle({**known, "scrutin": "provinciales"}, "fr") == ""
    assert practice.procedure.prefilled_by("identity.family_name") == "nom"


def _renamed(data: Any, names: dict[str, str]) -> Any:
    """The data with the keys of fields renamed wherever a field is named."""
    if isinstance(data, list):
        return [_renamed(item, names) for item in data]
    if not isinstance(data, dict):
        return data
    result = {key: _renamed(value, names) for key, value in data.items()}
    for naming in ("key", "field", "commune", "province", "district"):
        if isinstance(result.get(naming), str):
            result[naming] = names.get(result[naming], result[naming])
    if "unique_by" in result:
        result["unique_by"] = [names.get(name, name) for name in result["unique_by"]]
    if "subtitle" in result:
        result["subtitle"] = {
            language: template.replace("{election}", f"{{{names['election']}}}")
            for language, template in result["subtitle"].items()
        }
    return result


def test_the_switch_decides_whether_the_claim_is_needed_with_the_box(practice: Practice) -> None:
    switches = dataclasses.replace(practice.procedure.switches, signed_claim_required_at_deposit=False)
    lenient = Practice(dataclasses.replace(practice.procedure, switches=switches), practice.election)
    dossier = ready(practice)
    dossier.attachments.clear()
    seen = str(dossier.content_sha256())
    with pytest.raises(SlotsEmpty):
        dossier.check_depositable(practice, NOW, seen)
    dossier.check_depositable(lenient, NOW, seen)


def _asked(practice: Practice, received_at: datetime) -> InformationRequest:
    policy = practice.procedure.information_request
    assert policy is not None
    return InformationRequest.opened_by_citizen(uuid4(), "x", policy, received_at)


@pytest.mark.parametrize(
    ("deposit", "due"),
    [
        ("2024-10-21T21:59:59.900000+00:00", "2024-10-25T22:00:00+00:00"),
        ("2024-10-22T08:00:00+00:00", "2024-10-26T22:00:00+00:00"),
        ("2024-10-23T08:00:00+00:00", "2024-10-27T23:00:00+00:00"),
    ],
)
def test_four_days_from_the_local_day_of_the_deposit(practice: Practice, deposit: str, due: str) -> None:
    assert _asked(practice, datetime.fromisoformat(deposit)).due_at == datetime.fromisoformat(due)


def test_reminders_of_the_past_are_not_planned_and_weekends_are(practice: Practice) -> None:
    policy = practice.procedure.information_request
    assert policy is not None
    request = _asked(practice, datetime(2024, 10, 24, 8, tzinfo=UTC))
    assert request.due_date.isoformat() == "2024-10-28"
    assert [(days, at.isoformat()) for days, at in request.reminders(policy)] == [
        (2, "2024-10-26T07:00:00+00:00"),
        (1, "2024-10-27T08:00:00+00:00"),
    ]
    request.opened_at = datetime(2024, 10, 27, 7, tzinfo=UTC)
    assert [days for days, _ in request.reminders(policy)] == [1]


@given(st.integers(2024, 2100), st.integers(1, 10_000_000), st.data())
def test_one_wrong_digit_in_a_number_is_found(year: int, sequence: int, data: Any) -> None:
    right = number(year, sequence)
    assert is_number(right)
    places = [index for index, character in enumerate(right) if character.isdigit()]
    place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != right[place]]))
    assert not is_number(right[:place] + digit + right[place + 1 :])


def test_numbers_look_like_this() -> None:
    assert number(2024, 123).startswith("ME-2024-000123-")
    assert not is_number("ME-2024-123-4")
