"""Legal time goes forward, stands still for tests, and never passes behind a receipt."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from espace_stack.legal import BRUSSELS, START, BackwardsError, Legal, parse_instant

CLOSE = timedelta(seconds=5)


@pytest.fixture
def legal(tmp_path: Path) -> Legal:
    legal = Legal(tmp_path / "legal-clock.json")
    legal.ensure()
    return legal


def test_new_stack_starts_on_the_tuesday_after_the_elections(legal: Legal) -> None:
    assert abs(legal.now() - datetime(2024, 10, 15, 7, tzinfo=UTC)) < CLOSE


def test_second_start_does_not_set_the_clock_back(legal: Legal) -> None:
    legal.travel(START + timedelta(days=3))
    legal.ensure()
    assert legal.now() >= START + timedelta(days=3)


def test_time_travels_forward_and_runs_on(legal: Legal) -> None:
    legal.travel(parse_instant("2024-10-22T00:00"))
    first = legal.now()
    assert abs(first - datetime(2024, 10, 21, 22, tzinfo=UTC)) < CLOSE
    assert legal.now() > first


def test_travel_back_is_refused(legal: Legal) -> None:
    with pytest.raises(BackwardsError, match="make reset"):
        legal.travel(START - timedelta(seconds=1))


def test_travel_behind_the_latest_receipt_is_refused(legal: Legal) -> None:
    receipt = START + timedelta(days=2)
    with pytest.raises(BackwardsError, match="latest receipt"):
        legal.travel(START + timedelta(days=1), not_before=receipt)


def test_frozen_time_stands_still_and_runs_on_from_there(legal: Legal) -> None:
    instant = datetime(2024, 10, 21, 23, 59, 59, 900_000, tzinfo=BRUSSELS)
    legal.freeze(instant)
    assert legal.now() == instant
    legal.unfreeze()
    assert timedelta(0) <= legal.now() - instant < CLOSE
