"""A broker's virtual host for the tests that ask the real one; a house for the stories."""

from collections.abc import Callable, Iterator

import pytest

from shared.tests.bus.conftest import _quiet_logs, vhost
from tests.simulation.house import House

__all__ = ["_quiet_logs", "vhost"]


@pytest.fixture
def house(fresh_database: Callable[[str], str]) -> Iterator[House]:
    made = House(fresh_database)
    yield made
    made.close()
