"""Parts: started, killed, frozen, restarted, found again, and never mistaken for someone else's process."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from espace.testing import until
from espace_stack.account import reachable_folder
from espace_stack.part import FailedPart, Part
from espace_stack.parts.mailbox import MailboxPart
from espace_stack.ports import Ports
from espace_stack.reaper import kill_recorded
from espace_stack.servers import Servers
from espace_stack.stack import Stack


class Broken(Part):
    """Says why and ends."""

    def command(self) -> list[str]:
        return [sys.executable, "-c", "import sys; sys.exit('the disk is full of sand')"]

    def ready(self) -> bool:
        return False


class Silent(Part):
    """Runs and never answers."""

    start_seconds = 0.5

    def command(self) -> list[str]:
        return [sys.executable, "-c", "import time; time.sleep(600)"]

    def ready(self) -> bool:
        return False


class Wrapped(Part):
    """A shell that waits for the program it has started."""

    def command(self) -> list[str]:
        return ["/bin/sh", "-c", f"{sys.executable} -c 'import time; time.sleep(600)' & wait"]

    def ready(self) -> bool:
        return True


@pytest.fixture
def servers(_servers: Servers) -> Servers:
    _servers.start()
    return _servers


def test_part_that_ends_is_named_with_the_end_of_its_log(tmp_path: Path) -> None:
    with pytest.raises(FailedPart, match=r"(?s)broken: ended during its start.*the disk is full of sand"):
        Broken("broken", tmp_path, Ports(tmp_path / "ports.json")).start()


def test_part_that_never_answers_is_named(tmp_path: Path) -> None:
    part = Silent("silent", tmp_path, Ports(tmp_path / "ports.json"))
    with pytest.raises(FailedPart, match="silent: does not answer after"):
        part.start()
    part.kill()
    assert not part.alive


def test_part_started_twice_runs_once_and_is_found_by_another_command(tmp_path: Path) -> None:
    first = MailboxPart(tmp_path, Ports(tmp_path / "ports.json"))
    assert first.start() is True
    second = MailboxPart(tmp_path, Ports(tmp_path / "ports.json"))
    assert second.start() is False
    assert second.process.pid == first.process.pid
    second.stop()
    assert not first.alive


def test_part_is_found_after_the_machines_clock_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Silent("silent", tmp_path, Ports(tmp_path / "ports.json"))
    part.begin()
    try:
        real = psutil.Process.create_time
        monkeypatch.setattr(psutil.Process, "create_time", lambda self: real(self) + 3600)
        assert part.alive
    finally:
        monkeypatch.undo()
        part.kill()
    assert not part.alive


def test_record_of_a_process_id_used_by_another_is_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as foreign:
        (tmp_path / "run").mkdir()
        record = {"pid": foreign.pid, "started": "another-boot:1"}
        (tmp_path / "run" / "mailbox.json").write_text(json.dumps(record))
        stack = Stack(tmp_path, private=True)
        assert not stack.part("mailbox").alive
        stack.stop()
        kill_recorded(tmp_path)
        assert foreign.poll() is None
        foreign.kill()


def test_id_and_session_of_another_program_are_left_alone(tmp_path: Path) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(sleep, start_new_session=True) as foreign:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        (tmp_path / "run").mkdir()
        record = {"pid": foreign.pid, "started": f"{boot}:1", "settings": ""}
        (tmp_path / "run" / "silent.json").write_text(json.dumps(record))
        assert Silent("silent", tmp_path, Ports(tmp_path / "ports.json")).process.tree() == []
        kill_recorded(tmp_path)
        assert foreign.poll() is None
        foreign.kill()


@pytest.mark.asynchronous
@pytest.mark.parametrize("how", ["stop", "kill", "begin"])
def test_what_a_killed_part_has_left_behind_is_ended(tmp_path: Path, how: str) -> None:
    part = Wrapped("wrapped", tmp_path, Ports(tmp_path / "ports.json"))
    part.begin()
    until("the program in the wrapper", lambda: len(part.process.tree()) == 2)
    wrapper, behind = part.process.tree()
    os.kill(wrapper.pid, signal.SIGKILL)
    until("the end of the wrapper alone", lambda: not part.alive)
    assert part.process.tree() == [behind]
    getattr(part, how)()
    assert not behind.is_running() or behind.status() == psutil.STATUS_ZOMBIE
    part.kill()


def test_paused_part_answers_after_resume(servers: Servers) -> None:
    servers.objects.pause()
    with pytest.raises(httpx.TimeoutException):
        httpx.get(f"{servers.objects.url}/status", timeout=0.3)
    servers.objects.resume()
    until("an answer of the store", servers.objects.ready)


def test_database_that_nobody_recorded_is_not_started_twice_on_its_data(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    postgres = Servers(tmp_path, private=True).postgres
    postgres.start()
    record = tmp_path / "run" / "postgres.json"
    kept, pid = record.read_text(), postgres.process.pid
    record.unlink()
    try:
        postgres.ports.move("postgres")
        with pytest.raises(FailedPart, match=r'(?s)postgres: .*lock file "postmaster.pid" already exists'):
            postgres.start()
        assert pid is not None
        assert psutil.pid_exists(pid)
    finally:
        record.write_text(kept)
        postgres.kill()
    lock = reachable_folder(tmp_path) / "postgres" / "data" / "postmaster.pid"
    lock.write_text(lock.read_text().replace(str(pid), str(os.getpid()), 1))
    postgres.start()  # its process id is another program's now
    postgres.kill()


def test_database_killed_keeps_what_was_committed(servers: Servers) -> None:
    url = servers.postgres.url.replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    servers.postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    servers.postgres.start()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        connection.execute("DROP TABLE kept")


def test_broker_killed_keeps_its_queues(servers: Servers) -> None:
    queue = f"{servers.rabbitmq.management_url}/api/queues/%2F/kept"
    arguments = {"durable": True, "arguments": {"x-queue-type": "quorum"}}
    httpx.put(queue, json=arguments, timeout=10).raise_for_status()
    servers.rabbitmq.kill()
    servers.rabbitmq.start()
    assert httpx.get(queue, timeout=10).status_code == 200
    httpx.delete(queue, timeout=10).raise_for_status()


@pytest.mark.asynchronous
def test_starter_killed_takes_its_private_parts_along(tmp_path: Path) -> None:
    folder = tmp_path / "private"
    program = f"""
import sys, time
from pathlib import Path
from espace_stack.parts.mailbox import MailboxPart
from espace_stack.ports import Ports
from espace_stack.reaper import reaped
folder = Path({str(folder)!r})
with reaped(folder):
    part = MailboxPart(folder, Ports(folder / "ports.json"))
    part.start()
    print(part.process.pid, flush=True)
    time.sleep(600)
"""
    starter = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    pid = int(starter.stdout.readline())
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    starter.stdout.close()
    until("the end of the part", lambda: not Path(f"/proc/{pid}/cmdline").exists() or _zombie(pid))
    until("the end of the folder", lambda: not folder.exists())


def _zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_secrets_are_readable_by_their_owner_alone(servers: Servers) -> None:
    files = list((servers.folder / "secrets").iterdir())
    assert files
    assert {oct(path.stat().st_mode & 0o777) for path in files} == {"0o600"}
