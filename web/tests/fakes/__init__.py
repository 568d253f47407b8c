"""What stands in for the services in the tests of the frontend."""

from web.tests.fakes.problems import problem
from web.tests.fakes.services import Services

__all__ = ["Services", "problem"]
