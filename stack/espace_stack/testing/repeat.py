"""``--repeat=20``: tests of kills, races and outages run that often; a fault of one run in ten is found."""

import pytest

MARK = "asynchronous"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option, which ``make test-long`` sets."""
    parser.addoption("--repeat", type=int, default=1, metavar="N", help=f"run tests marked {MARK} N times")


def pytest_configure(config: pytest.Config) -> None:
    """The mark."""
    config.addinivalue_line("markers", f"{MARK}: kills, races and outages; repeated by make test-long")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each time."""
    times = metafunc.config.getoption("--repeat")
    if times > 1 and metafunc.definition.get_closest_marker(MARK):
        metafunc.fixturenames.append("repetition")
        metafunc.parametrize("repetition", range(1, times + 1))
