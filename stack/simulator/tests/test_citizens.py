"""The fictitious population."""

from datetime import date

import pytest
from stdnum.be import nn

from login_simulator import citizens


@pytest.mark.parametrize("plain", [None, 3000])
def test_every_citizen_has_a_valid_number_of_her_own(plain: int | None) -> None:
    population = list(citizens.load(plain))
    numbers = [citizen.national_number for citizen in population]
    assert len(set(numbers)) == len(numbers) >= (plain or 38)
    assert all(nn.is_valid(number) for number in numbers)
    assert all(nn.get_birth_date(c.national_number) == c.birthdate for c in population)


def test_the_stories_are_there_with_their_communes() -> None:
    population = citizens.load()
    wanted = {"lucie": "92094", "marc": "62063", "greta": "63023", "nora": "92094", "zoe": "25014"}
    for username, commune in wanted.items():
        citizen = population.named(username)
        assert citizen is not None
        assert citizen.address.commune_ins == commune
    assert [c.username for c in population.holders("eidas")] == ["paulo"]


@pytest.mark.parametrize(
    ("born", "sequence", "number"),
    [(date(1985, 7, 30), 33, "85073003328"), (date(2001, 2, 3), 4, "01020300467")],
)
def test_numbers_are_made_as_the_register_makes_them(born: date, sequence: int, number: str) -> None:
    assert citizens.national_number(born, sequence) == number
