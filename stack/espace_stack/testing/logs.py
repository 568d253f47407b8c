"""What programs log inside a test's own process: told plainly, where a test that fails shows it."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(scope="session", autouse=True)
def _plain_logs() -> Iterator[None]:
    """Without the coloured frames of each traceback, which took longer than many a test."""
    before = structlog.get_config()
    told = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before["processors"][:-1], told])
    yield
    structlog.configure(**before)
