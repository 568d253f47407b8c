"""One service in the foreground: seen by the other commands, ended by every signal, blind to nothing."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from espace.testing import until
from espace_stack.dev import look
from espace_stack.stack import Stack
from espace_stack.testing import Platform


def test_files_that_come_change_and_go_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "room").mkdir()
    file = tmp_path / "room" / "page.html"
    seen = [look([tmp_path])]
    file.write_text("a")
    seen.append(look([tmp_path]))
    os.utime(file, (1, 1))  # older than anything: still a change
    seen.append(look([tmp_path]))
    file.unlink()
    assert look([tmp_path]) == seen[0]
    assert len({str(sorted(found.items())) for found in seen}) == 3


@pytest.mark.asynchronous
def test_files_that_vanish_while_it_looks_do_not_end_it(tmp_path: Path) -> None:
    done = threading.Event()

    def come_and_go() -> None:
        while not done.is_set():
            (tmp_path / "room").mkdir()
            for number in range(20):
                (tmp_path / "room" / f"{number}.py").touch()
            for number in range(20):
                (tmp_path / "room" / f"{number}.py").unlink()
            (tmp_path / "room").rmdir()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(500):
            look([tmp_path])
    finally:
        done.set()
        thread.join()


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGHUP,
        pytest.param(signal.SIGTERM, marks=pytest.mark.long),
        pytest.param(signal.SIGINT, marks=pytest.mark.long),
    ],
)
def test_programs_in_the_foreground_are_seen_by_up_and_given_back_at_the_end(
    platform: Platform, number: signal.Signals
) -> None:
    parts = [platform.part(name) for name in ("profile-api", "profile-worker")]

    def pids() -> set[int | None]:
        return {part.process.pid for part in parts}

    def in_the_foreground() -> bool:
        return pids().isdisjoint({None, *before}) and all(part.ready() for part in parts)

    before = pids()
    command = [sys.executable, "-m", "espace_stack", "--private", "--folder", str(platform.stack.folder)]
    with subprocess.Popen([*command, "dev", "profile"], stdout=subprocess.DEVNULL) as dev:
        until("other programs, in the foreground", in_the_foreground, 120)
        here = pids()
        assert Stack(platform.stack.folder, private=True).start() is False
        assert pids() == here
        dev.send_signal(number)
        assert dev.wait(60) == 0
    assert all(part.alive and part.ready() for part in parts)
    assert pids().isdisjoint(here)
