"""The whole platform: started, started again, broken and repaired."""

from pathlib import Path

import httpx
import pytest

from espace_stack.layout import SERVICES
from espace_stack.part import FailedPart
from espace_stack.parts.programs import ProgramPart
from espace_stack.stack import Stack, given_addresses
from espace_stack.table import show_addresses, show_memory
from espace_stack.testing import Platform


def test_platform_started_answers_through_the_gateway(platform: Platform) -> None:
    with httpx.Client(base_url=platform.public_url, follow_redirects=True, timeout=20) as client:
        assert client.get("/").status_code == 200
        discovery = client.get("/identity/.well-known/openid-configuration").json()
        assert discovery["issuer"] == f"{platform.public_url}/identity"
        for service in ("profile", "dossier", "documents", "notifier"):
            assert client.get(f"/api/{service}/openapi.json").json()["openapi"].startswith("3.1")


def test_every_service_has_its_programs(platform: Platform) -> None:
    names = {part.name for part in platform.stack.parts}
    servers = {"postgres", "rabbitmq", "objects", "gateway", "mailbox", "simulator", "web"}
    assert servers | {f"{service}-api" for service in SERVICES} <= names
    assert {"dossier-worker", "scheduler-worker", "notifier-worker", "documents-worker"} <= names


def test_second_start_changes_nothing(platform: Platform) -> None:
    before = {part.name: part.process.pid for part in platform.stack.parts}
    assert platform.stack.start() is False
    assert Stack(platform.stack.folder, private=True).start() is False
    assert {part.name: part.process.pid for part in platform.stack.parts} == before


def test_program_killed_is_started_by_the_next_start_alone(platform: Platform) -> None:
    before = {part.name: part.process.pid for part in platform.stack.parts}
    platform.part("profile-api").kill()
    assert not platform.part("profile-api").alive
    assert platform.stack.start() is True
    after = {part.name: part.process.pid for part in platform.stack.parts}
    assert {name for name in after if after[name] != before[name]} == {"profile-api"}


def test_program_that_cannot_start_is_named_with_its_reason(platform: Platform) -> None:
    part = platform.part("profile-api")
    assert isinstance(part, ProgramPart)
    part.stop()
    platform.stack.settings.extra["profile-api"] = {"ESPACE_DATABASE_POOL_SIZE": "many"}
    try:
        with pytest.raises(FailedPart, match=r"(?s)profile-api: .*ESPACE_DATABASE_POOL_SIZE"):
            platform.stack.start()
    finally:
        platform.stack.settings.extra.clear()
    assert platform.stack.start() is True


def test_table_names_addresses_citizens_and_memory(platform: Platform) -> None:
    table = show_addresses(platform.stack)
    for expected in (platform.public_url, platform.url("simulator"), "lucie", "nora", "Legal time"):
        assert expected in table
    memory = show_memory(platform.stack)
    assert "stopped" not in memory
    assert "total" in memory


def test_secrets_reach_programs_as_files(platform: Platform) -> None:
    for part in platform.stack.parts:
        if isinstance(part, ProgramPart):
            environment = platform.stack.env(part.name)
            held = [name for name in environment if name.endswith(("SECRET", "KEY", "KEYS", "PASSWORD"))]
            assert held == []
            assert "ESPACE_DATABASE_URL" not in environment


def test_addresses_of_the_environment_take_the_place_of_own_parts(tmp_path: Path) -> None:
    environment = {
        "ESPACE_STACK_POSTGRES_URL": "postgresql+psycopg://admin:x@db.example:5432/postgres",
        "ESPACE_STACK_AMQP_URL": "amqp://u:p@mq.example:5672/%2F",
        "ESPACE_STACK_OBJECTS_URL": "http://s3.example:9000",
        "ESPACE_STACK_OBJECTS_ACCESS_KEY": "key",
        "ESPACE_STACK_OBJECTS_SECRET_KEY": "secret",
        "ESPACE_STACK_SMTP": "mail.example:25",
    }
    stack = Stack(tmp_path, private=True, given=given_addresses(environment))
    assert not {"postgres", "rabbitmq", "objects", "mailbox"} & {part.name for part in stack.parts}
    assert stack.env("notifier-worker")["ESPACE_SMTP_HOST"] == "mail.example"
    database = Path(stack.env("dossier-api")["ESPACE_DATABASE_URL_FILE"]).read_text()
    assert database.endswith("@db.example:5432/dossier")
    assert stack.env("documents-api")["ESPACE_OBJECTS_URL"] == "http://s3.example:9000"
    assert (
        Path(stack.env("dossier-worker")["ESPACE_AMQP_URL_FILE"]).read_text()
        == environment["ESPACE_STACK_AMQP_URL"]
    )
