"""The judge is judged: each classic mistake is told by its checker, and the sound program by none."""

import pytest

from shared.tests.bus.conftest import Bus
from tests.chaos.scenarios import CASES, Altered


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_told(bus: Bus, name: str) -> None:
    scenario, word = CASES[name]
    altered = Altered(bus, name)
    verdict = scenario(altered)
    assert getattr(verdict, word), f"{verdict}\n{altered.log()}"


@pytest.mark.asynchronous
@pytest.mark.parametrize("name", CASES)
def test_the_sound_program_keeps_its_promise(bus: Bus, name: str) -> None:
    scenario, _ = CASES[name]
    sound = Altered(bus, None)
    verdict = scenario(sound)
    assert verdict.kept, f"{verdict}\n{sound.log()}"
