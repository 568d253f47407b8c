"""Drafts: prefill, typing, errors at fields, validation, files."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from joserfc.jwk import ECKey

from espace.testing import Issuer

People = Callable[..., Any]
EUPEN, BERTOGNE, SOIGNIES, ANTWERP = "63023", "82005", "55040", "11002"


def test_opening_prefills_from_identity_and_shows_everything(citizen: People) -> None:
    lucie = citizen()
    dossier = lucie.open()
    assert dossier["state"] == "draft"
    assert dossier["prefilled"]["family_name"] == "Lambert"
    assert dossier["prefilled"]["commune"] == "92094"
    assert dossier["prefilled"]["province"] == "90000"
    assert dossier["display"]["commune"] == "Namur"
    assert [step["label"] for step in dossier["steps"]] == [
        "Brouillon",
        "Introduit",
        "En Traitement",
        "Décision",
        "Clôturé",
    ]
    assert dossier["missing_slots"] == ["reclamation"]
    assert dossier["actions"] == ["edit", "validate", "attach"]
    assert dossier["window"] is None
    assert "required" not in str(dossier["errors"])
    assert dossier["errors"]["election"] == ["Choisissez une réponse pour « Élection contestée »."]


def test_an_address_of_a_merged_commune_leads_to_the_council_elected(citizen: People) -> None:
    dossier = citizen(BERTOGNE).open()
    assert dossier["prefilled"]["commune"] == "82039"
    assert dossier["display"]["commune"] == "Bastogne"


def test_a_german_language_commune_is_refused_with_the_reason(citizen: People) -> None:
    response = citizen(EUPEN).post("/dossiers", {"procedure": "reclamation-electorale"})
    assert response.status_code == 422
    problem = response.get_json()
    assert problem["code"] == "commune_not_covered"
    assert "Communauté germanophone" in problem["detail"]
    assert "Eupen" in problem["detail"]


def test_a_commune_outside_wallonia_is_refused_with_the_reason(citizen: People) -> None:
    problem = citizen(ANTWERP).post("/dossiers", {"procedure": "reclamation-electorale"}).get_json()
    assert problem["reason"] == "outside_wallonia"


def test_the_second_procedure_needs_no_commune_and_no_code(citizen: People, clock: Any) -> None:
    clock.freeze("2031-01-01T00:00:00+01:00")
    greta = citizen(EUPEN)
    dossier = greta.open("question-administration")
    greta.type_in(dossier["id"], subject="Objet", question="Question ?")
    validated = greta.post(f"/dossiers/{dossier['id']}/validation").get_json()
    receipt = greta.submit(validated)
    assert receipt.status_code == 201
    assert receipt.get_json()["window"] is None
    again = greta.open("question-administration")
    greta.type_in(again["id"], subject="Objet", question="Question ?")
    validated = greta.post(f"/dossiers/{again['id']}/validation").get_json()
    assert greta.submit(validated).status_code == 201, "no limit of one per citizen"


def test_a_closed_procedure_opens_no_draft(citizen: People, clock: Any) -> None:
    clock.freeze("2024-10-22T22:00:00+00:00")
    problem = citizen().post("/dossiers", {"procedure": "reclamation-electorale"}).get_json()
    assert problem["code"] == "procedure_closed"


def test_wrong_values_are_kept_and_every_error_is_at_its_field(citizen: People) -> None:
    lucie = citizen()
    dossier_id = lucie.open()["id"]
    dossier = lucie.type_in(
        dossier_id, election="provinciales", contact_email="pas une adresse", district="liege", phone="12"
    )
    assert dossier["values"]["contact_email"] == "pas une adresse"
    assert set(dossier["errors"]) == {
        "contact_email",
        "phone",
        "district",
        "completeness",
        "sworn_candidate",
        "sworn_truth",
    }
    refused = lucie.post(f"/dossiers/{dossier_id}/validation")
    assert refused.status_code == 422
    assert refused.get_json()["errors"] == dossier["errors"]
    assert lucie.dossier(dossier_id)["values"] == dossier["values"]


def test_errors_speak_the_language_that_was_asked_for(citizen: People) -> None:
    lucie = citizen()
    dossier_id = lucie.open()["id"]
    texts = {
        language: lucie.get(f"/dossiers/{dossier_id}?language={language}")["errors"]["election"][0]
        for language in ("fr", "nl", "de", "en")
    }
    assert len(set(texts.values())) == 4
    accepted = lucie.get(f"/dossiers/{dossier_id}", Accept_Language="nl-BE,nl;q=0.9")
    assert accepted["errors"]["election"][0] == texts["nl"]


def test_districts_are_those_of_the_province_and_fictitious_ones_say_so(citizen: People) -> None:
    lucie = citizen(SOIGNIES)
    form = lucie.open()["form"]
    district = next(f for s in form["sections"] for f in s["fields"] if f["key"] == "district")
    notes = {choice["label"]: choice["note"] for choice in district["choices"]}
    assert notes["Soignies"] is None
    assert notes["La Louvière"] is None
    assert notes["Mons"] == "fictif"
    assert "Namur" not in notes


def test_read_only_and_unknown_fields_are_refused_and_nothing_is_saved(citizen: People) -> None:
    lucie = citizen()
    dossier = lucie.open()
    path = f"/dossiers/{dossier['id']}/values"
    body = {"values": {"family_name": "Autre", "citizen_id": str(uuid4()), "election": "communales"}}
    response = lucie.call("PATCH", path, body, If_Match=f'"{dossier["version"]}"')
    assert response.status_code == 422
    assert set(response.get_json()["errors"]) == {"family_name", "citizen_id"}
    assert lucie.dossier(dossier["id"])["values"] == {}


@pytest.mark.parametrize(
    "body",
    [
        {"values": {}, "state": "submitted"},
        {"values": {}, "owner_id": "x"},
        {"values": {}, "received_at": "2024-10-13T00:00:00Z"},
        {"values": []},
        {},
    ],
)
def test_extra_or_malformed_fields_of_the_body_are_refused(citizen: People, body: Any) -> None:
    lucie = citizen()
    dossier = lucie.open()
    response = lucie.call("PATCH", f"/dossiers/{dossier['id']}/values", body, If_Match='"1"')
    assert response.status_code == 422
    assert response.get_json()["code"] == "validation_failed"


@pytest.mark.parametrize("value", [1, ["a"], {"a": 1}, "x" * 10_001, "a\u0000b", "\ud800"])
def test_what_cannot_be_kept_is_refused_at_its_field(citizen: People, value: Any) -> None:
    lucie = citizen()
    dossier = lucie.open()
    response = lucie.call(
        "PATCH",
        f"/dossiers/{dossier['id']}/values",
        {"values": {"electoral_list": value}},
        If_Match=f'"{dossier["version"]}"',
    )
    assert response.status_code == 422
    assert any("electoral_list" in field for field in response.get_json()["errors"])


def test_an_edit_of_an_old_version_is_refused(citizen: People) -> None:
    lucie = citizen()
    dossier = lucie.open()
    path = f"/dossiers/{dossier['id']}/values"
    lucie.type_in(dossier["id"], election="communales")
    assert lucie.call("PATCH", path, {"values": {}}).status_code == 428
    stale = lucie.call("PATCH", path, {"values": {"election": "provinciales"}}, If_Match='"1"')
    assert stale.status_code == 412
    assert lucie.dossier(dossier["id"])["values"] == {"election": "communales"}


def test_validation_freezes_and_editing_unfreezes(citizen: People) -> None:
    lucie = citizen()
    dossier = lucie.ready()
    assert dossier["state"] == "validated"
    assert len(dossier["values_sha256"]) == 64
    assert "submit" in dossier["actions"]
    edited = lucie.type_in(dossier["id"], electoral_list="Liste 8")
    assert edited["state"] == "draft"
    assert edited["values_sha256"] is None
    assert edited["content_sha256"] is None
    assert "submit" not in edited["actions"]
    again = lucie.post(f"/dossiers/{dossier['id']}/validation").get_json()
    assert again["values_sha256"] not in (None, dossier["values_sha256"])
    back = lucie.type_in(dossier["id"], electoral_list="Liste 7")
    assert back["state"] == "draft"
    assert (
        lucie.post(f"/dossiers/{dossier['id']}/validation").get_json()["values_sha256"]
        == (dossier["values_sha256"])
    )


def test_the_declaration_has_the_visible_values_as_people_read_them(citizen: People) -> None:
    lucie = citizen()
    dossier = lucie.ready()
    declaration = lucie.get(f"/dossiers/{dossier['id']}/declaration")
    rows = {row["key"]: row["value"] for section in declaration["sections"] for row in section["rows"]}
    assert rows["commune"] == "Namur"
    assert rows["election"] == "communales"
    assert "district" not in rows
    assert "missing_pieces" not in rows
    assert declaration["values_sha256"] == dossier["values_sha256"]
    assert all(statement["accepted"] for statement in declaration["statements"])
    assert lucie.call("GET", f"/dossiers/{lucie.open()['id']}/declaration").status_code == 409


def test_files_join_their_slot_once(citizen: People) -> None:
    lucie = citizen()
    dossier_id = lucie.open()["id"]
    statement = lucie.documents.statement(lucie.id, dossier_id, "reclamation")
    path, body = f"/dossiers/{dossier_id}/attachments", {"slot": "reclamation", "statement": statement}
    assert lucie.post(path, body).status_code == 201
    assert lucie.post(path, body).status_code == 200, "the same file again changes nothing"
    assert lucie.attach(dossier_id).get_json()["code"] == "slot_full"
    dossier = lucie.dossier(dossier_id)
    assert len(dossier["attachments"]) == 1
    assert dossier["attachments"][0]["scan"] == "pending"
    assert dossier["missing_slots"] == []
    assert [slot["can_add"] for slot in dossier["slots"]] == [False, True]


def test_files_that_do_not_fit_are_refused_with_the_reason(citizen: People) -> None:
    lucie = citizen()
    dossier_id = lucie.open()["id"]
    image = lucie.attach(dossier_id, content_type="image/png")
    assert (image.status_code, image.get_json()["code"]) == (422, "type_not_allowed")
    large = lucie.attach(dossier_id, size=20 * 1024 * 1024 + 1)
    assert (large.status_code, large.get_json()["code"]) == (422, "file_too_large")
    assert lucie.attach(dossier_id, size=20 * 1024 * 1024).status_code == 201
    unknown = lucie.attach(dossier_id, "complement")
    assert (unknown.status_code, unknown.get_json()["code"]) == (422, "unknown_slot")


def test_a_statement_about_something_else_is_refused(citizen: People) -> None:
    lucie, marc = citizen(), citizen()
    dossier_id, other = lucie.open()["id"], lucie.open()["id"]
    sign = lucie.documents.statement
    forged = ECKey.generate_key("P-256", {"kid": lucie.documents.key.kid})
    wrong = [
        sign(marc.id, dossier_id, "reclamation"),
        sign(lucie.id, other, "reclamation"),
        sign(lucie.id, dossier_id, "reclamation", key=forged),
        sign(lucie.id, dossier_id, "reclamation", iss="elsewhere"),
        sign(lucie.id, dossier_id, "reclamation", size=0),
        sign(lucie.id, dossier_id, "reclamation", sha256="x"),
        sign(lucie.id, dossier_id, "reclamation", sub="not-a-uuid"),
        sign(lucie.id, dossier_id, "autres"),
        "not.a.statement",
        "x",
    ]
    for statement in wrong:
        body = {"slot": "reclamation", "statement": statement}
        response = lucie.post(f"/dossiers/{dossier_id}/attachments", body)
        assert response.status_code == 422, statement
    assert lucie.dossier(dossier_id)["attachments"] == []


def test_a_removed_file_is_gone_and_an_unknown_one_is_404(citizen: People) -> None:
    lucie = citizen()
    dossier = lucie.ready()
    document = dossier["attachments"][0]["document_id"]
    path = f"/dossiers/{dossier['id']}/attachments/{document}"
    assert lucie.call("DELETE", path).status_code == 428
    removed = lucie.call("DELETE", path, If_Match=f'"{dossier["version"]}"')
    assert removed.status_code == 200
    assert removed.get_json()["attachments"] == []
    assert removed.get_json()["content_sha256"] != dossier["content_sha256"]
    version = removed.get_json()["version"]
    assert lucie.call("DELETE", path, If_Match=f'"{version}"').status_code == 404


def test_a_weak_login_opens_no_claim(citizen: People, issuer: Issuer) -> None:
    lucie = citizen()
    lucie.token = issuer.citizen(lucie.id, acr="urn:be:fedict:iam:fas:Level350")
    response = lucie.post("/dossiers", {"procedure": "reclamation-electorale"})
    assert (response.status_code, response.get_json()["code"]) == (403, "level_too_low")
    assert response.get_json()["min_level"] == 400


def test_a_weak_login_neither_answers_nor_withdraws(citizen: People, issuer: Issuer) -> None:
    lucie = citizen()
    dossier = lucie.ready(drc=True)
    assert lucie.submit(dossier).status_code == 201
    request = lucie.dossier(dossier["id"])["information_requests"][0]
    page = lucie.add_piece(dossier["id"], request["id"])
    lucie.token = issuer.citizen(lucie.id, acr="urn:be:fedict:iam:fas:Level350")
    refusals = (lucie.answer(page), lucie.post(f"/dossiers/{dossier['id']}/withdrawal"))
    assert [refusal.get_json()["code"] for refusal in refusals] == ["level_too_low"] * 2


SILENT: dict[str, Any] = {"address": None, "commune_ins": None}
ANSWERS = {
    "election": "communales",
    "electoral_list": "Liste 7",
    "completeness": "complete",
    "sworn_candidate": True,
    "sworn_truth": True,
}


def test_what_the_register_did_not_give_is_not_available_now(citizen: People) -> None:
    lucie = citizen(**SILENT)
    errors = lucie.open()["errors"]
    assert "pour l’instant" in errors["street"][0]
    assert "family_name" not in errors


def test_a_draft_opened_while_the_register_was_silent_is_completed_by_the_next_save(
    citizen: People, register: dict[str, Any]
) -> None:
    lucie = citizen(**SILENT)
    dossier_id = lucie.open()["id"]
    still = lucie.type_in(dossier_id, **ANSWERS)
    assert {"street", "locality", "commune"} <= set(still["errors"])
    register[str(lucie.id)].update(_known("92094"))
    saved = lucie.type_in(dossier_id, election="provinciales")
    assert saved["prefilled"]["street"] == "Rue de Fer"
    assert saved["display"]["province"] == "Province de Namur"
    districts = next(f for s in saved["form"]["sections"] for f in s["fields"] if f["key"] == "district")
    assert "namur" in {choice["value"] for choice in districts["choices"]}
    lucie.type_in(dossier_id, election="communales")
    assert lucie.post(f"/dossiers/{dossier_id}/validation").status_code == 200


def test_a_validation_asks_the_register_again_and_keeps_what_it_learnt(
    citizen: People, register: dict[str, Any]
) -> None:
    lucie = citizen(**SILENT)
    dossier_id = lucie.open()["id"]
    lucie.type_in(dossier_id, **{**ANSWERS, "sworn_truth": False})
    silent = lucie.post(f"/dossiers/{dossier_id}/validation")
    assert "pour l’instant" in silent.get_json()["errors"]["commune"][0]
    register[str(lucie.id)].update(_known("92094"))
    assert set(lucie.post(f"/dossiers/{dossier_id}/validation").get_json()["errors"]) == {"sworn_truth"}
    register.clear()
    lucie.type_in(dossier_id, sworn_truth=True)
    assert lucie.post(f"/dossiers/{dossier_id}/validation").status_code == 200


@pytest.mark.parametrize("step", ["values", "validation"])
def test_a_commune_that_votes_elsewhere_is_refused_as_soon_as_it_is_known(
    citizen: People, register: dict[str, Any], step: str
) -> None:
    greta = citizen(**SILENT)
    dossier = greta.open()
    register[str(greta.id)].update(_known(EUPEN))
    method, body = ("PATCH", {"values": ANSWERS}) if step == "values" else ("POST", {})
    refused = greta.call(method, f"/dossiers/{dossier['id']}/{step}", body, If_Match='"1"')
    problem = refused.get_json()
    assert (refused.status_code, problem["code"]) == (422, "commune_not_covered")
    assert set(problem["errors"]) == {"commune", "province"}
    assert "Eupen" in problem["errors"]["commune"][0]


def test_a_draft_is_saved_while_identity_is_away(citizen: People, register: dict[str, Any]) -> None:
    lucie = citizen(**SILENT)
    dossier_id = lucie.open()["id"]
    register.clear()
    assert lucie.type_in(dossier_id, **ANSWERS)["values"]["electoral_list"] == "Liste 7"


def _known(commune: str) -> dict[str, Any]:
    address = {"street": "Rue de Fer", "number": "12", "postal_code": "5000", "locality": "Namur"}
    return {"address": address, "commune_ins": commune}
