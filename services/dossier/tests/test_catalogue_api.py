"""The catalogue over HTTP, and who may ask for it."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from espace.http import routes

People = Callable[..., Any]


@pytest.mark.parametrize("words", ["introduction", "réclamation", "élections locales", "ELECTIONS LOCALES"])
def test_search_finds_the_claim_and_says_whether_it_is_open(citizen: People, words: str) -> None:
    (found,) = citizen().call("GET", f"/procedures?q={words}").get_json()
    assert found["title"] == "Élections locales du 13 octobre 2024 - Introduction d'une réclamation"
    assert (found["state"], found["opens_on"], found["closes_on"]) == ("open", "2024-10-13", "2024-10-22")


def test_a_procedure_says_its_windows_and_why(citizen: People, clock: Any) -> None:
    lucie = citizen()
    page = lucie.get("/procedures/reclamation-electorale")
    assert [(w["pv_date"], w["date"]) for w in page["windows"]] == [
        ("2024-10-13", "2024-10-21"),
        ("2024-10-14", "2024-10-22"),
    ]
    assert "Province de Liège" in page["windows"][1]["places"]
    assert page["windows"][0]["note"] == "La date du procès-verbal est fictive (données de démonstration)."
    clock.freeze("2024-10-22T12:00:00+02:00")
    states = [w["state"] for w in lucie.get("/procedures/reclamation-electorale")["windows"]]
    assert states == ["closed", "open"]
    clock.freeze("2024-10-12T12:00:00+02:00")
    assert lucie.get("/procedures/reclamation-electorale")["state"] == "upcoming"
    assert lucie.get("/procedures/question-administration")["windows"] == []


def test_a_procedure_speaks_four_languages(citizen: People) -> None:
    lucie = citizen()
    titles = {
        lucie.get(f"/procedures/reclamation-electorale?language={language}")["title"]
        for language in ("fr", "nl", "de", "en")
    }
    assert len(titles) == 4
    assert lucie.call("GET", "/procedures?language=es").status_code == 422
    assert lucie.call("GET", "/procedures/nothing").get_json()["code"] == "unknown_procedure"


def test_communes_are_found_without_accents_and_say_why_not(citizen: People) -> None:
    lucie = citizen()
    (found,) = lucie.get("/communes?q=braine-l'alleud&on=2024-10-13")
    assert found == {
        "ins": "25014",
        "name": "Braine-l’Alleud",
        "province": "Province du Brabant wallon",
        "covered": True,
        "reason": None,
    }
    (eupen,) = lucie.get("/communes?q=eupen")
    assert eupen["covered"] is False
    assert "germanophone" in eupen["reason"]


def test_without_a_token_nothing_is_answered(app: Flask) -> None:
    client = app.test_client()
    for method, rule, auth in routes(app):
        if auth not in ("citizen", "service"):
            continue
        path = rule
        for name in ("dossier_id", "request_id", "document_id"):
            path = path.replace(f"<uuid:{name}>", "10000000-0000-4000-8000-000000000001")
        response = client.open(path.replace("<key>", "x"), method=method)
        assert response.status_code == 401, (method, rule)
