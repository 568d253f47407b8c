"""The whole platform: started, started again, broken and repaired."""

import socket

import httpx
import pytest

from espace_stack.layout import SERVICES
from espace_stack.part import FailedPart
from espace_stack.parts.programs import ProgramPart
from espace_stack.stack import Stack
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
    others = {"gateway", "mailbox", "simulator", "web", *(part.name for part in platform.stack.servers.parts)}
    assert others | {f"{service}-api" for service in SERVICES} <= names
    assert {"dossier-worker", "scheduler-worker", "notifier-worker", "documents-worker"} <= names


def pids(stack: Stack) -> dict[str, int | None]:
    return {part.name: part.process.pid for part in stack.parts}


def test_second_start_changes_nothing(platform: Platform) -> None:
    before = pids(platform.stack)
    assert platform.stack.start() is False
    assert Stack(platform.stack.folder, private=True).start() is False
    assert pids(platform.stack) == before


def test_program_killed_is_started_by_the_next_start_alone(platform: Platform) -> None:
    before = pids(platform.stack)
    platform.part("profile-api").kill()
    assert not platform.part("profile-api").alive
    assert platform.stack.start() is True
    after = pids(platform.stack)
    assert {name for name in after if after[name] != before[name]} == {"profile-api"}


def test_parts_that_depend_on_a_moved_address_are_started_again_and_no_others(platform: Platform) -> None:
    stack, old = platform.stack, platform.stack.ports["simulator"]
    before = pids(stack)
    platform.part("simulator").kill()
    with socket.socket() as foreign:
        foreign.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        foreign.bind(("127.0.0.1", old))
        foreign.listen()
        assert stack.start() is True
    assert stack.ports["simulator"] != old
    changed = {name for name, pid in pids(stack).items() if pid != before[name]}
    assert changed == {"simulator", "identity-api", "identity-worker", "web"}
    assert stack.env("identity-api")["ESPACE_UPSTREAM_ISSUER"] == platform.url("simulator")
    assert stack.start() is False


def test_program_whose_settings_have_changed_is_started_again(platform: Platform) -> None:
    stack = platform.stack
    before = pids(stack)
    stack.settings.extra["profile-api"] = {"ESPACE_DATABASE_POOL_SIZE": "3"}
    try:
        assert stack.start() is True
        assert {name for name, pid in pids(stack).items() if pid != before[name]} == {"profile-api"}
        assert stack.start() is False
    finally:
        stack.settings.extra.clear()


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
