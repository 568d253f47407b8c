"""The judge is judged: each classic mistake is told by its checker, and the sound program by none."""

from collections.abc import Iterator

import pytest

from shared.tests.bus.conftest import Bus
from tests.chaos.scenarios import CASES, Altered


@pytest.fixture
def altered(bus: Bus, request: pytest.FixtureRequest) -> Iterator[Altered]:
    """The scenario's programs, altered as the test's parameter says."""
    programs = Altered(bus, request.param)
    yield programs
    programs.close()


@pytest.mark.parametrize(("altered", "name"), [(name, name) for name in CASES], indirect=["altered"])
def test_a_mistake_is_told(altered: Altered, name: str) -> None:
    scenario, word = CASES[name]
    verdict = scenario(altered)
    assert getattr(verdict, word), f"{verdict}\n{altered.log()}"


@pytest.mark.asynchronous
@pytest.mark.parametrize(("altered", "name"), [(None, name) for name in CASES], indirect=["altered"])
def test_the_sound_program_keeps_its_promise(altered: Altered, name: str) -> None:
    scenario, _ = CASES[name]
    verdict = scenario(altered)
    assert verdict.kept, f"{verdict}\n{altered.log()}"
