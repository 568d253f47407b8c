"""Tests of kills and races run as often as they are told to, the others once."""

from pathlib import Path

import pytest

TESTS = """
import pytest

@pytest.mark.asynchronous
@pytest.mark.parametrize("how", ["kill", "stop"])
def test_kill(how, tmp_path): pass

def test_other(): pass
"""


@pytest.mark.parametrize(("options", "runs"), [([], 3), (["--repeat=3"], 7)])
def test_marked_tests_are_repeated(tmp_path: Path, options: list[str], runs: int) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)

    class Count:
        passed = 0

        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            self.passed += report.when == "call" and report.passed

    count = Count()
    command = [
        "-p",
        "espace_stack.testing.repeat",
        "--strict-markers",
        "--import-mode=importlib",
        "-c",
        "/dev/null",
        "-q",
    ]
    assert pytest.main([*command, "-p", "no:cacheprovider", *options, str(tmp_path)], plugins=[count]) == 0
    assert count.passed == runs
