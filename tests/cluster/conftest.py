"""The people are those of the end-to-end tests."""

from tests.e2e.conftest import _idle, candidate, citizens, new_app

__all__ = ["_idle", "candidate", "citizens", "new_app"]
