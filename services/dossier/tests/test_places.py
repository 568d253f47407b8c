"""Communes by date, districts, dates of reports, names however they are typed."""

from collections import Counter
from datetime import date

import pytest

from dossier_service.folding import fold
from dossier_service.places.elections import Election
from dossier_service.places.model import NotCovered, UnknownPlace
from dossier_service.places.registry import Places

VOTE = date(2024, 10, 13)
GERMAN = ("63001", "63012", "63013", "63023", "63040", "63048", "63061", "63067", "63087")


@pytest.fixture(scope="module")
def places() -> Places:
    return Places()


@pytest.fixture(scope="module")
def election(places: Places) -> Election:
    return Election.named("local-2024-10-13", places)


@pytest.mark.parametrize(
    ("day", "count"),
    [(VOTE, 262), (date(2024, 12, 1), 262), (date(2024, 12, 2), 261), (date(2026, 1, 1), 261)],
)
def test_communes_are_counted_by_date(places: Places, day: date, count: int) -> None:
    assert len(places.communes(day)) == count


def test_councils_elected_on_13_october_2024_are_261(places: Places) -> None:
    assert len(places.councils(VOTE)) == 261
    assert len(places.councils(date(2024, 10, 12))) == 262


def test_provinces_have_their_number_of_communes(places: Places) -> None:
    found = Counter(commune.province.name.fr for commune in places.communes(date(2025, 1, 1)))
    assert found == {
        "Province du Brabant wallon": 27,
        "Province du Hainaut": 69,
        "Province de Liège": 84,
        "Province du Luxembourg": 43,
        "Province de Namur": 38,
    }


@pytest.mark.parametrize("ins", ["82003", "82005", "82039"])
def test_bastogne_and_bertogne_elect_one_council(places: Places, ins: str) -> None:
    assert places.council_of(ins, VOTE).ins == "82039"


@pytest.mark.parametrize("ins", GERMAN)
def test_german_language_communes_are_not_covered(places: Places, ins: str) -> None:
    with pytest.raises(NotCovered) as refused:
        places.council_of(ins, VOTE)
    assert refused.value.reason == "german_language"


def test_a_flemish_commune_is_outside_and_an_invented_one_unknown(places: Places) -> None:
    with pytest.raises(NotCovered) as refused:
        places.council_of("11002", VOTE)
    assert refused.value.reason == "outside_wallonia"
    with pytest.raises(UnknownPlace):
        places.council_of("99999", VOTE)


@pytest.mark.parametrize(
    "words",
    ["braine-l'alleud", "Braine-l’Alleud", "BRAINE L ALLEUD", "braine alleud", "alleud", "Eigenbrakel"],
)
def test_a_commune_is_found_however_it_is_typed(places: Places, words: str) -> None:
    assert [commune.ins for commune in places.search(words, VOTE)] == ["25014"]


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Le Rœulx", "le roeulx"),
        ("ÉCAUSSINNES", "ecaussinnes"),
        ("Sint-Pieters ‘Rode'", "sint pieters rode"),
        ("  ", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_only_proven_districts_are_not_fictitious(election: Election, places: Places) -> None:
    districts = [d for province in places.provinces() for d in election.districts(province.ins)]
    proven = {d.name: len(d.communes) for d in districts if not d.fictitious}
    assert proven == {"Soignies": 6, "La Louvière": 4}
    for district in districts:
        for ins in district.communes:
            assert places.commune(ins).province == district.province
    assert all(election.districts(province.ins) for province in places.provinces())


@pytest.mark.parametrize(
    ("ins", "day"), [("92094", 13), ("62063", 14), ("52011", 14), ("25014", 13), ("82039", 13)]
)
def test_the_date_of_the_report_differs_by_constituency(
    election: Election, places: Places, ins: str, day: int
) -> None:
    constituency = election.municipal(places.commune(ins))
    assert constituency.report_date == date(2024, 10, day)
    assert constituency.fictitious


def test_provincial_constituencies_are_districts(election: Election) -> None:
    assert election.provincial("60000", "liege").report_date == date(2024, 10, 14)
    assert election.provincial("50000", "soignies").key == "district:50000:soignies"
    with pytest.raises(UnknownPlace):
        election.provincial("60000", "soignies")
