"""Legal time: the file is followed, refused in production, and never half read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from espace.clock import LegalClock, LegalTime, utcnow
from espace.config import SettingsError

FROZEN = datetime(2024, 10, 21, 21, 59, 59, 900_000, tzinfo=UTC)


def test_no_file_is_real_time() -> None:
    clock = LegalClock(None, "production")
    assert clock.state().is_real
    assert abs(clock.approximate_now() - utcnow()) < timedelta(seconds=5)


def test_file_replaced_is_followed(tmp_path: Path) -> None:
    file = tmp_path / "legal.json"
    LegalTime(timedelta(days=-3)).save(file)
    clock = LegalClock(file, "demo")
    assert clock.state() == LegalTime(timedelta(days=-3))
    for _ in range(20):  # also faster than the file system's clock ticks
        LegalTime(frozen=FROZEN).save(file)
        assert clock.approximate_now() == FROZEN
        LegalTime(timedelta(seconds=1.5)).save(file)
        assert clock.state().offset == timedelta(seconds=1.5)


def test_example_of_the_file_is_read() -> None:
    text = '{"offset_seconds": -12345.6, "frozen_at": "2024-10-21T23:59:59.900000+02:00"}'
    assert LegalTime.parse(text) == LegalTime(timedelta(seconds=-12345.6), FROZEN)


@pytest.mark.parametrize("state", [LegalTime(timedelta(microseconds=1)), LegalTime(frozen=FROZEN)])
def test_production_refuses_a_shift_at_start_and_later(tmp_path: Path, state: LegalTime) -> None:
    file = tmp_path / "legal.json"
    state.save(file)
    with pytest.raises(SettingsError, match="production refuses"):
        LegalClock(file, "production")
    LegalTime().save(file)
    clock = LegalClock(file, "production")
    state.save(file)
    with pytest.raises(SettingsError, match="production refuses"):
        clock.state()


@pytest.mark.parametrize(
    "text", ["", "[]", '{"frozen_at": "2024-10-21T10:00:00"}', '{"offset_seconds": "x"}']
)
def test_unusable_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "legal.json"
    with pytest.raises(SettingsError, match="cannot be used"):
        LegalClock(file, "demo")
    file.write_text(text)
    with pytest.raises(SettingsError, match="cannot be used"):
        LegalClock(file, "demo")
