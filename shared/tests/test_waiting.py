"""The one helper that waits must itself be able to fail."""

import time

import pytest

from espace.testing import until


def test_what_comes_late_is_returned() -> None:
    answers = iter([None, False, [], "rain"])
    assert until("rain", lambda: next(answers)) == "rain"


@pytest.mark.parametrize("what", ["rain", lambda: "rain"])
def test_wait_that_is_over_names_what_did_not_come(what: object) -> None:
    began = time.monotonic()
    with pytest.raises(AssertionError, match=r"0\.2 seconds have passed without: rain"):
        until(what, lambda: False, seconds=0.2)  # type: ignore[arg-type]
    assert time.monotonic() - began < 5
