"""Servers of others in place of our own: used, remembered, and left without anything of ours."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from espace.bus import topology
from espace_stack.given import given_addresses
from espace_stack.layout import BUCKET, SERVICES
from espace_stack.part import FailedPart
from espace_stack.parts.postgres import drop_database
from espace_stack.reaper import reaped
from espace_stack.servers import Addresses, Servers, together
from espace_stack.stack import Stack

EXAMPLE = {
    "ESPACE_STACK_POSTGRES_URL": "postgresql+psycopg://admin:x@db.example:5432/postgres?sslrootcert=/ca.pem",
    "ESPACE_STACK_AMQP_URL": "amqp://u:p@mq.example:5672/%2F",
    "ESPACE_STACK_OBJECTS_URL": "http://s3.example:9000",
    "ESPACE_STACK_OBJECTS_ACCESS_KEY": "key",
    "ESPACE_STACK_OBJECTS_SECRET_KEY": "secret",
    "ESPACE_STACK_SMTP": "mail.example:25",
}


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A database and a store on which nothing of ours is, unlike the session's."""
    folder = tmp_path_factory.mktemp("others")
    folder.chmod(0o755)
    servers = Servers(folder, private=True)
    with reaped(folder):
        together([servers.postgres.start, servers.objects.start])
        yield servers


@pytest.fixture
def environment(others: Servers, parts: Addresses, amqp_url: str) -> dict[str, str]:
    """What gives a stack those, and a virtual host of its own on the session's broker."""
    return {
        "ESPACE_STACK_POSTGRES_URL": others.postgres.url,
        "ESPACE_STACK_AMQP_URL": amqp_url,
        "ESPACE_STACK_MANAGEMENT_URL": parts.management,
        "ESPACE_STACK_OBJECTS_URL": others.objects.url,
        "ESPACE_STACK_OBJECTS_ACCESS_KEY": others.objects.access_key,
        "ESPACE_STACK_OBJECTS_SECRET_KEY": others.objects.secret_key,
    }


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "espace_stack", "--private", "--folder", str(folder), *words]
    variables = {**os.environ, **environment}
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def databases(others: Servers) -> set[str]:
    with psycopg.connect(others.postgres.url.replace("+psycopg", "")) as admin:
        names = "SELECT datname FROM pg_database UNION SELECT rolname FROM pg_roles WHERE rolcanlogin"
        return {str(row[0]) for row in admin.execute(names)} & {*SERVICES, "web"}


def queues(parts: Addresses, amqp_url: str) -> set[str]:
    answer = httpx.get(f"{parts.management}/api/definitions/{amqp_url.rsplit('/', 1)[1]}", timeout=20)
    found = answer.raise_for_status().json()
    return {entry["name"] for kind in ("queues", "policies", "exchanges") for entry in found[kind]}


def test_program_runs_on_given_servers_which_are_left_clean(
    tmp_path: Path, others: Servers, parts: Addresses, amqp_url: str, environment: dict[str, str]
) -> None:
    with reaped(tmp_path):
        up = run(tmp_path, "up", "documents-worker", **environment)
        assert up.returncode == 0, up.stderr
        stack = Stack(tmp_path, private=True)  # knows what it was given
        assert {part.name for part in stack.parts if part.alive} == {"documents-worker"}
        assert stack.part("documents-worker").ready()
        assert databases(others) == {*SERVICES, "web"}
        names = {queue.name for queue in topology.queues()} | topology.policies().keys()
        assert names <= queues(parts, amqp_url)
        others.objects.client().put_object(BUCKET, "piece", io.BytesIO(b"bytes"), 5)

        down = run(tmp_path, "down")
        assert "documents-worker has stopped" in down.stdout
        assert databases(others) == {*SERVICES, "web"}, "data stays"
        reset = run(tmp_path, "reset")
        assert reset.returncode == 0, reset.stderr
    assert databases(others) == set()
    assert queues(parts, amqp_url) == set()
    assert not others.objects.client().bucket_exists(BUCKET)
    assert not tmp_path.exists()


def test_role_of_somebody_else_is_neither_taken_nor_dropped(
    tmp_path: Path, others: Servers, environment: dict[str, str]
) -> None:
    others.postgres.ensure_database("identity", "theirs")
    stack = Stack(tmp_path, private=True, given=given_addresses(environment))
    with pytest.raises(FailedPart, match=r"postgres: .*role identity is there already.*Drop the database"):
        stack.start(("scheduler-api",))
    stack.reset()
    assert databases(others) == {"identity"}
    drop_database(others.postgres.url, "identity", "theirs")


def test_reset_keeps_the_keys_while_a_given_server_is_away(tmp_path: Path) -> None:
    with reaped(tmp_path):
        away = "postgresql+psycopg://a:b@127.0.0.1:9/postgres"
        Stack(tmp_path, private=True, given={"POSTGRES_URL": away}).start(("mailbox",))
        refused = run(tmp_path, "reset")
        assert refused.returncode == 1
        assert "postgres: OperationalError" in refused.stderr
        assert "ESPACE_STACK_POSTGRES_URL=" in refused.stderr
        assert (tmp_path / "secrets").exists()
        Stack(tmp_path, private=True, given={"POSTGRES_URL": ""}).reset()
        assert not tmp_path.exists()


def test_given_addresses_take_the_place_of_own_parts(tmp_path: Path) -> None:
    stack = Stack(tmp_path, private=True, given=given_addresses(EXAMPLE))
    assert not {"postgres", "rabbitmq", "objects", "mailbox"} & {part.name for part in stack.parts}
    assert stack.env("notifier-worker")["ESPACE_SMTP_HOST"] == "mail.example"
    database = Path(stack.env("dossier-api")["ESPACE_DATABASE_URL_FILE"]).read_text()
    assert database.endswith("@db.example:5432/dossier?sslrootcert=/ca.pem")
    assert stack.env("documents-api")["ESPACE_OBJECTS_URL"] == "http://s3.example:9000"
    broker = Path(stack.env("dossier-worker")["ESPACE_AMQP_URL_FILE"]).read_text()
    assert broker == EXAMPLE["ESPACE_STACK_AMQP_URL"]


def test_own_part_is_stopped_once_an_address_is_given_in_its_place_and_back_again(tmp_path: Path) -> None:
    with reaped(tmp_path):
        Stack(tmp_path, private=True).start(("mailbox",))
        given = Stack(tmp_path, private=True, given={"SMTP": "127.0.0.1:25"})
        given.start(("simulator",))
        assert not given.mailbox.alive
        assert Stack(tmp_path, private=True).given == {"SMTP": "127.0.0.1:25"}
        back = Stack(tmp_path, private=True, given={"SMTP": ""})
        back.start(("mailbox",))
        assert back.mailbox.alive
        assert Stack(tmp_path, private=True).given == {}
