"""The fixtures that the services' tests stand on."""

import io

import httpx
import psycopg

from espace_stack.parts.objects import client
from espace_stack.servers import Addresses
from espace_stack.testing import Objects


def test_servers_started_answer(parts: Addresses) -> None:
    with psycopg.connect(parts.postgres.replace("+psycopg", "")) as connection:
        row = connection.execute("SHOW server_version_num").fetchone()
    assert row is not None
    assert int(row[0]) >= 180000


def test_virtual_host_of_a_module_is_there(parts: Addresses, amqp_url: str) -> None:
    name = amqp_url.rsplit("/", 1)[1]
    answer = httpx.get(f"{parts.management}/api/vhosts/{name}", timeout=10)
    assert answer.status_code == 200


def test_bucket_is_new_and_keeps_bytes(objects: Objects) -> None:
    store = client(objects.url, objects.access_key, objects.secret_key)
    assert list(store.list_objects(objects.bucket)) == []
    store.put_object(objects.bucket, "a", io.BytesIO(b"bytes"), 5)
    assert store.stat_object(objects.bucket, "a").size == 5
