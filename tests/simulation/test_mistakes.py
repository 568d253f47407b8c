"""The simulation is judged: each classic mistake is told by its judge, in one of the first stories."""

import pytest

from tests.simulation.house import House
from tests.simulation.judging import judge
from tests.simulation.mistakes import MISTAKES
from tests.simulation.story import Story

PATIENCE = 50


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_within_a_few_stories(
    house: House, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    make, judged_by, word, first = MISTAKES[name]
    make(monkeypatch, house)
    told = (getattr(judge(_told(house, seed))[judged_by], word) for seed in range(first, first + PATIENCE))
    assert any(told), f"{PATIENCE} stories end well"


def _told(house: House, seed: int) -> Story:
    story = Story(house, seed)
    story.run()
    return story
