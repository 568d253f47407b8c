"""Real time; the simulator stands outside the house and uses none of its clocks."""

from datetime import UTC, datetime


def epoch() -> int:
    """Seconds since 1970."""
    return int(datetime.now(UTC).timestamp())  # noqa: TID251  the one place here that may ask
