"""The command line: what each command does, and what it says when it cannot."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

import dossier_service.tables  # noqa: F401 - maps the classes
from dossier_service.claims.facts import submitted
from dossier_service.claims.model import Dossier, DossierState
from espace.db import Database
from espace_stack.cli import main
from espace_stack.legal import BRUSSELS
from espace_stack.reaper import reaped
from espace_stack.stack import Stack


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "espace_stack", "--private", "--folder", str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done


def deposit(stack: Stack, received_at: datetime) -> None:
    """A deposit as dossier writes it: its row and the fact that it publishes."""
    dossier = Dossier(
        id=uuid4(),
        citizen_id=uuid4(),
        procedure="demande-information",
        procedure_version=1,
        prefilled={},
        created_at=received_at,
        saved_at=received_at,
        state=DossierState.SUBMITTED,
        number=str(uuid4()),
        received_at=received_at,
        deposited_sha256="0" * 64,
    )
    database = Database(stack.database_url("dossier"))
    try:
        with database.transaction() as unit:
            unit.session.add(dossier)
            unit.record(submitted(dossier, None))
    finally:
        database.dispose()


def test_a_stack_from_its_first_start_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    folder.mkdir()
    tmp_path.chmod(0o755)
    with reaped(folder):
        up = run(folder, "up", "--at", "2024-10-16T10:00", "postgres", "dossier-api")
        assert up.returncode == 0, up.stderr
        assert "dossier-api is ready" in up.stdout
        assert "Wednesday 16 October 2024, 10:00" in up.stdout
        assert "is for a new stack" not in up.stdout
        stack = Stack(folder, private=True)
        running = {part.name for part in stack.parts if part.alive}
        assert running == {"postgres", "dossier-api"}

        again = run(folder, "up", "--at", "2024-12-24T10:00", "postgres", "dossier-api")
        assert again.returncode == 0, again.stderr
        assert "everything was running already" in again.stdout
        assert "is for a new stack; this one has its own: `make reset` starts over" in again.stdout
        assert "Wednesday 16 October 2024, 10:0" in again.stdout

        status = [line.split() for line in run(folder, "status").stdout.splitlines()]
        assert {name for name, state, *_ in status if state == "running"} == running

        receipt = datetime(2024, 10, 18, 12, tzinfo=BRUSSELS)
        deposit(stack, receipt - timedelta(microseconds=1))
        deposit(stack, receipt)
        assert stack.latest_receipt() == receipt
        behind = run(folder, "travel", "2024-10-18T11:59:59")
        assert behind.returncode == 1
        assert "the latest receipt is of 2024-10-18 12:00:00" in behind.stderr
        ahead = run(folder, "travel", "2024-10-22T00:00")
        assert (ahead.returncode, ahead.stdout) == (
            0,
            "legal time is now Tuesday 22 October 2024, 00:00:00\n",
        )

        down = run(folder, "down")
        assert down.returncode == 0
        assert "postgres has stopped" in down.stdout
        stopped = run(folder, "travel", "2024-10-23T00:00")
        assert stopped.returncode == 1
        assert "dossier's database does not answer" in stopped.stderr
        assert "`make up` first" in stopped.stderr

        assert "forgotten" in run(folder, "reset").stdout
        assert not folder.exists()


def test_travel_of_a_new_stack_says_what_to_do_first(tmp_path: Path) -> None:
    done = run(tmp_path / "stack", "travel", "2024-10-22T00:00")
    assert (done.returncode, done.stderr) == (1, "this stack was never started: `make up` first\n")


@pytest.mark.parametrize("words", [("travel", ""), ("travel", "tomorrow"), ("up", "--at", "22/10/2024")])
def test_what_is_no_time_is_refused(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(list(words))
    assert "is not a time such as 2024-10-22T00:00" in capsys.readouterr().err


def test_part_that_does_not_exist_is_refused_with_those_that_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--private", "--folder", str(tmp_path), "up", "teapot"]) == 1
    assert "no part teapot; there are rabbitmq, postgres" in capsys.readouterr().err


def test_wanted_port_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ESPACE_STACK_PORT_GATEWAY", "eighty")
    assert main(["--private", "--folder", str(tmp_path), "up", "mailbox"]) == 1
    said = capsys.readouterr().err
    assert said == "ESPACE_STACK_PORT_GATEWAY: 'eighty' is not a port (1 to 65535)\n"
