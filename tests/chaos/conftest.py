"""A bus of its own for each scenario, or the whole platform with the citizens of the end-to-end tests."""

from shared.tests.bus.conftest import bus, vhost
from tests.e2e.conftest import _idle, candidate, citizens

__all__ = ["_idle", "bus", "candidate", "citizens", "vhost"]
