"""Steps wait for those before them; a failure stops what has not begun."""

import threading

import pytest

from espace_stack.plan import Step, carry_out


def test_steps_run_after_those_they_wait_for() -> None:
    seen: list[str] = []
    carry_out(
        [
            Step("roof", lambda: seen.append("roof"), ("walls",)),
            Step("walls", lambda: seen.append("walls"), ("ground",)),
            Step("ground", lambda: seen.append("ground")),
        ]
    )
    assert seen == ["ground", "walls", "roof"]


def test_independent_steps_run_side_by_side() -> None:
    together = threading.Barrier(2, timeout=5)
    carry_out([Step("one", together.wait), Step("two", together.wait)])


def test_failed_step_is_raised_and_its_followers_are_not_begun() -> None:
    seen: list[str] = []

    def fail() -> None:
        raise RuntimeError("ground gives way")

    with pytest.raises(RuntimeError, match="ground gives way"):
        carry_out([Step("ground", fail), Step("walls", lambda: seen.append("walls"), ("ground",))])
    assert seen == []


def test_steps_in_a_circle_are_refused() -> None:
    with pytest.raises(ValueError, match="never done"):
        carry_out([Step("a", int, ("b",)), Step("b", int, ("a",))])
