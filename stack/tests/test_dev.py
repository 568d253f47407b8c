"""One service in the foreground: seen by the other commands, ended by every signal, blind to nothing."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from espace.testing import until
from espace_stack.dev import look
from espace_stack.part import Part
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


@dataclass
class Foreground:
    """``make dev SERVICE=profile``: the command, and the programs that it runs."""

    command: "subprocess.Popen[bytes]"
    parts: list[Part]

    def pids(self) -> set[int | None]:
        return {part.process.pid for part in self.parts}


@pytest.fixture
def profile(platform: Platform) -> Iterator[Foreground]:
    parts = [platform.part(name) for name in ("profile-api", "profile-worker")]
    words = ["--private", "--folder", str(platform.stack.folder), "dev", "profile"]
    with subprocess.Popen([sys.executable, "-m", "espace_stack", *words]) as command:
        dev = Foreground(command, parts)
        before = {None, *dev.pids()}
        try:
            until(
                "other programs, in the foreground",
                lambda: dev.pids().isdisjoint(before) and all(part.ready() for part in parts),
                120,
            )
            yield dev
        finally:
            command.terminate()


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGHUP,
        pytest.param(signal.SIGTERM, marks=pytest.mark.long),
        pytest.param(signal.SIGINT, marks=pytest.mark.long),
    ],
)
def test_programs_in_the_foreground_are_seen_by_up_and_given_back_at_the_end(
    platform: Platform, profile: Foreground, number: signal.Signals
) -> None:
    here = profile.pids()
    assert Stack(platform.stack.folder, private=True).start() is False
    assert profile.pids() == here
    profile.command.send_signal(number)
    assert profile.command.wait(60) == 0
    assert all(part.alive and part.ready() for part in profile.parts)
    assert profile.pids().isdisjoint(here)


def test_programs_in_the_foreground_that_another_command_stops_stay_so(profile: Foreground) -> None:
    for part in profile.parts:
        part.stop()
    assert profile.command.wait(60) == 0
    assert profile.pids() == {None}
