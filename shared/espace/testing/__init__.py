"""For tests: tokens of a test's own making, and waiting for what must come."""

from espace.testing.issuer import LEVEL_450, Issuer, bearer
from espace.testing.waiting import until

__all__ = ["LEVEL_450", "Issuer", "bearer", "until"]
