"""Fixtures for tests of one service: servers, fresh databases, virtual hosts and buckets."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
import pytest
from psycopg import sql

from espace.auth import tls
from espace_stack.given import given_addresses
from espace_stack.parts.objects import client
from espace_stack.parts.postgres import address_for
from espace_stack.servers import Addresses, Servers

FreshDatabase = Callable[[str], str]


@dataclass(frozen=True)
class Objects:
    """An S3 server and a bucket that is new."""

    url: str
    access_key: str
    secret_key: str
    bucket: str


@pytest.fixture(scope="session")
def parts(request: pytest.FixtureRequest) -> Addresses:
    """PostgreSQL, RabbitMQ and S3 for this session, or those that the environment names.

    ``ESPACE_TEST_PARTS`` names a file of addresses; ``ESPACE_STACK_POSTGRES_URL`` and so on single ones.
    """
    file = os.environ.get("ESPACE_TEST_PARTS")
    if file:
        return Addresses.read(Path(file))
    folder = request.getfixturevalue("_servers").folder
    servers = Servers(folder, private=True, given=given_addresses())
    servers.start()
    return servers.addresses


@pytest.fixture(scope="session")
def _templates(parts: Addresses) -> Iterator[Callable[[str], tuple[str, str, str]]]:
    """A migrated database per package, to copy from: (template, role, password)."""
    made: dict[str, tuple[str, str, str]] = {}
    session = secrets.token_hex(4)

    def template(package: str) -> tuple[str, str, str]:
        if package not in made:
            from espace.db import migrations

            name, password = f"t_{session}_{package}", secrets.token_hex(16)
            with _admin(parts) as admin:
                role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                admin.execute(role.format(sql.Identifier(name), sql.Literal(password)))
                admin.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(name))
                )
            migrations.upgrade(address_for(name, password, name, at=parts.postgres), package=package)
            made[package] = (name, name, password)
        return made[package]

    yield template
    with _admin(parts) as admin:
        for name, role, _ in made.values():
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.fixture
def fresh_database(
    parts: Addresses, _templates: Callable[[str], tuple[str, str, str]]
) -> Iterator[FreshDatabase]:
    """Make a new migrated database of a package (``"dossier_service"``); returns its address.

    Its role owns it and nothing else. Dropped after the test.
    """
    made: list[str] = []

    def fresh(package: str) -> str:
        template, role, password = _templates(package)
        name = f"{template[:20]}_{secrets.token_hex(6)}"
        with _admin(parts) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", (template,)
            )
            copy = sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}")
            admin.execute(copy.format(*map(sql.Identifier, (name, template, role))))
        made.append(name)
        return address_for(role, password, name, at=parts.postgres)

    yield fresh
    with _admin(parts) as admin:
        for name in made:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def amqp_url(parts: Addresses) -> Iterator[str]:
    """The address of a virtual host of this test module alone, deleted after it."""
    with virtual_host(parts.amqp, parts.management) as url:
        yield url


@contextmanager
def virtual_host(amqp: str, management: str) -> Iterator[str]:
    """The address of a new virtual host on a broker, deleted after it: what it holds takes its memory."""
    name, user = f"test-{secrets.token_hex(6)}", httpx.URL(amqp).username
    with httpx.Client(base_url=management, timeout=20, verify=tls.context(management)) as api:
        api.put(f"/api/vhosts/{name}").raise_for_status()
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        api.put(f"/api/permissions/{name}/{quote(user)}", json=everything).raise_for_status()
        yield amqp.rsplit("/", 1)[0] + f"/{name}"
        api.delete(f"/api/vhosts/{name}").raise_for_status()


@contextmanager
def limited(amqp: str, management: str, queue: str, limits: dict[str, int]) -> Iterator[None]:
    """Put a policy on a queue of the virtual host of ``amqp`` for a while, as an operator would."""
    policy = f"/api/policies/{amqp.rsplit('/', 1)[1]}/for-a-while"
    body = {"pattern": f"^{queue}$", "apply-to": "queues", "definition": limits}
    with httpx.Client(base_url=management, timeout=20, verify=tls.context(management)) as api:
        api.put(policy, json=body).raise_for_status()
        yield
        api.delete(policy).raise_for_status()


@pytest.fixture(scope="module")
def objects(parts: Addresses) -> Iterator[Objects]:
    """The S3 server with a new bucket of this test module alone."""
    store = client(parts.objects, parts.objects_access_key, parts.objects_secret_key)
    bucket = f"test-{secrets.token_hex(6)}"
    store.make_bucket(bucket)
    yield Objects(parts.objects, parts.objects_access_key, parts.objects_secret_key, bucket)
    for entry in store.list_objects(bucket, recursive=True):
        store.remove_object(bucket, entry.object_name or "")
    store.remove_bucket(bucket)


def _admin(parts: Addresses) -> "psycopg.Connection[tuple[object, ...]]":
    url = parts.postgres.replace("postgresql+psycopg://", "postgresql://", 1)
    return psycopg.connect(url, autocommit=True)
