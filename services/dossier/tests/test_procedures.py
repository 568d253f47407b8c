"""Procedure files: what is loaded, what is refused, what is found."""

from collections.abc import Callable
from datetime import date
from importlib.resources import files
from typing import Any

import pytest
import yaml

from dossier_service.localized import LANGUAGES
from dossier_service.procedures.catalogue import Catalogue, UnknownProcedure
from dossier_service.procedures.loader import load, load_all
from dossier_service.procedures.node import ProcedureFileError
from dossier_service.texts import texts
from espace.calendar import deadline

CLAIM = "reclamation-electorale"
FILE = files("dossier_service.procedures") / "data" / "reclamation-electorale.v1.yaml"
Change = Callable[[Any], Any]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(load_all())


def test_the_claim_says_what_the_guide_says(catalogue: Catalogue) -> None:
    claim = catalogue.newest(CLAIM)
    assert claim.title.fr == "Élections locales du 13 octobre 2024 - Introduction d'une réclamation"
    assert [slot.title.fr for slot in claim.slots] == ["Réclamation datée et signée", "Autres documents"]
    completeness = claim.field("completeness")
    assert completeness is not None
    assert completeness.choices[1].label.fr == (
        "je ne dispose pas de l'ensemble des pièces et je souhaite déposer "
        "une demande de renseignement complémentaire (DRC)"
    )
    assert [step.label.fr for step in claim.steps if step.key == "processing"] == ["En Traitement"]
    assert len(claim.statements) == 2
    assert claim.switches.outage == "none"
    assert claim.switches.signed_claim_required_at_deposit is True
    assert claim.window is not None
    assert claim.window.rule.roll_over == "none"
    assert all(slot.max_bytes == 20 * 1024 * 1024 for slot in claim.slots)


@pytest.mark.parametrize(
    ("start", "last"), [(date(2024, 10, 13), date(2024, 10, 21)), (date(2024, 10, 14), date(2024, 10, 22))]
)
def test_the_rules_of_the_claim_give_the_dates_of_the_guide(
    catalogue: Catalogue, start: date, last: date
) -> None:
    claim = catalogue.newest(CLAIM)
    assert claim.window is not None
    assert deadline(start, claim.window.rule).date == last
    assert claim.information_request is not None
    assert deadline(last, claim.information_request.rule).date == last.replace(day=last.day + 4)


@pytest.mark.parametrize(
    "words",
    [
        "introduction",
        "réclamation",
        "élections locales",
        "ELECTIONS LOCALES",
        "reclamation",
        "  Réclamation   élections ",
        "d’une réclamation",
        "d'une reclam",
        "bezwaar",
        "Beschwerde",
    ],
)
def test_the_claim_is_found_by_words(catalogue: Catalogue, words: str) -> None:
    assert [procedure.key for procedure in catalogue.search(words)] == [CLAIM]


def test_a_word_that_is_nowhere_finds_nothing_and_no_word_finds_all(catalogue: Catalogue) -> None:
    assert catalogue.search("réclamation introuvable") == []
    assert len(catalogue.search("")) == 2
    with pytest.raises(UnknownProcedure):
        catalogue.newest("nothing")


def test_every_text_is_translated() -> None:
    for procedure in load_all():
        for field in procedure.fields():
            assert all(field.label[language] for language in LANGUAGES)
        assert len(set(procedure.title.all().values())) == 4
    for language in LANGUAGES:
        assert texts().missing(language) == set()


def _without(*path: str | int) -> Change:
    def change(data: Any) -> Any:
        node = data
        for part in path[:-1]:
            node = node[part]
        del node[path[-1]]
        return data

    return change


def _with(value: Any, *path: str | int) -> Change:
    def change(data: Any) -> Any:
        node = data
        for part in path[:-1]:
            node = node[part]
        node[path[-1]] = value
        return data

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without("title"), "title: is missing"),
        (_without("title", "de"), "title.de: is missing"),
        (_with("", "title", "fr"), "title.fr: must be a text"),
        (_with(0, "version"), "version: must be a whole number of at least 1"),
        (_with("Réclamation", "key"), "key: 'Réclamation' may have small letters"),
        (_with(1, "colour"), "colour: is not known here"),
        (_with("date", "sections", 0, "fields", 0, "type"), "sections[0].fields[0].type: 'date' is none of"),
        (_with("identity", "sections", 0, "fields", 0, "prefill"), "prefill starts with none of"),
        (_without("sections", 0, "fields", 0, "prefill"), "a read-only field needs a prefill"),
        (_without("sections", 1, "fields", 0, "choices"), "a choice has either choices or choices_from"),
        (_with("sums", "sections", 1, "fields", 2, "choices_from"), "choices_from is none of"),
        (_with("x", "sections", 1, "fields", 1, "visible_when", "field"), "a field that does not exist, 'x'"),
        (_with("x", "sections", 1, "fields", 1, "visible_when", "equals"), "'x' is no choice of election"),
        (_with("election", "statements", 0, "key"), "the key 'election' is used twice"),
        (_with(0, "window", "rule", "count"), "window.rule: is not a deadline rule: count"),
        (_with("weeks", "window", "rule", "unit"), "window.rule: is not a deadline rule: unit"),
        (_with("9 o'clock", "information_request", "reminders", 0, "at"), "reminders[0].at: is not a time"),
        (_with("x", "information_request", "element_field"), "there is no field 'x'"),
        (_with(1, "information_request", "reminders", 0, "days_before"), "two reminders 1 days before"),
        (_with("phone", "information_request", "element_field"), "'phone' must be required"),
        (_with("start", "steps", 0, "key"), "steps: 'draft' is missing"),
        (_with("working", "steps", 2, "key"), "steps: 'processing' is missing"),
        (_with("autres", "information_request", "slot", "key"), "is a slot of the dossier already"),
        (_with(["x"], "unique_by"), "unique_by: there is no field 'x'"),
        (_without("window"), "a constituency needs a window"),
        (_with("{x}", "subtitle", "de"), "subtitle.de: there is no field 'x'"),
        (_with("{", "subtitle", "nl"), "subtitle.nl: "),
        (_with([], "window", "constituencies"), "window.constituencies: must not be empty"),
        (_with("x", "window", "constituencies", 0, "commune"), "there is no field 'x'"),
        (_with("x", "window", "constituencies", 0, "when", "equals"), "'x' is no choice of election"),
        (_without("window", "constituencies", 1, "province"), "names either the field of a commune, or"),
        (_without("window", "constituencies", 1), "no constituency of the window names the field"),
        (_with([], "slots", 0, "types"), "slots[0].types: must not be empty"),
        (_with(["text/plain"], "slots", 0, "types"), "slot reclamation: 'text/plain' is none of"),
        (_with(20971521, "slots", 1, "max_bytes"), "slot autres: max_bytes is more than documents takes"),
        (_with(20971521, "information_request", "slot", "max_bytes"), "slot complement: max_bytes is more"),
        (_with("yes", "slots", 0, "mandatory"), "slots[0].mandatory: must be true or false"),
        (_with("week", "switches", "outage"), "switches.outage: 'week' is none of none"),
        (_with({}, "steps"), "steps: must be a list"),
        (lambda data: [], "the file: must be a mapping"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place_and_the_mistake(change: Change, message: str) -> None:
    data = change(yaml.safe_load(FILE.read_text(encoding="utf-8")))
    with pytest.raises(ProcedureFileError) as refused:
        load(yaml.safe_dump(data, allow_unicode=True), "claim.yaml")
    assert message in str(refused.value)
    assert str(refused.value).startswith("claim.yaml:\n")


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    del data["title"]["nl"]
    del data["sections"][2]["fields"][1]["label"]
    data["slots"][1]["max_count"] = -1
    with pytest.raises(ProcedureFileError) as refused:
        load(yaml.safe_dump(data, allow_unicode=True), "claim.yaml")
    assert len(refused.value.problems) == 3


def test_what_is_not_yaml_is_said() -> None:
    with pytest.raises(ProcedureFileError, match="not YAML"):
        load("key: [", "claim.yaml")
