"""The port to the object store keeps its promises on a real server."""

import hashlib
import secrets
import tempfile
import uuid
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from minio.commonconfig import GOVERNANCE
from minio.error import S3Error
from minio.retention import Retention

from espace.clock import utcnow
from espace.errors import DependencyDown
from espace.objects import (
    ObjectChanged,
    ObjectMissing,
    ObjectStore,
    ObjectStoreDown,
    ObjectStoreError,
    SignedForm,
    content_disposition,
)
from espace_stack.parts.objects import ObjectStore as Server
from espace_stack.parts.objects import client
from espace_stack.reaper import reaped
from espace_stack.servers import Servers
from espace_stack.testing import Objects

BYTES = b"%PDF-1.7 " + bytes(range(256)) * 20
PDF = "application/pdf"


@pytest.fixture
def store(objects: Objects) -> ObjectStore:
    return port(objects.url, objects.bucket, objects.secret_key)


def port(url: str, bucket: str, secret_key: str, *, timeout: float = 20.0) -> ObjectStore:
    return ObjectStore(
        inside_url=url,
        public_url=url,
        bucket=bucket,
        access_key="espace",
        secret_key=secret_key,
        timeout=timeout,
    )


def new_key() -> str:
    return f"incoming/{uuid.uuid4()}"


def signed(store: ObjectStore, key: str, *, minutes: float = 5) -> SignedForm:
    return store.signed_post(
        key,
        size=len(BYTES),
        content_type=PDF,
        sha256=hashlib.sha256(BYTES).hexdigest(),
        expires=timedelta(minutes=minutes),
    )


def post(form: SignedForm, content: bytes = BYTES, **changed: str | None) -> httpx.Response:
    fields = {name: value for name, value in {**form.fields, **changed}.items() if value is not None}
    return httpx.post(form.url, data=fields, files={"file": ("f", content, PDF)})


def test_form_stores_exactly_the_announced_bytes(store: ObjectStore) -> None:
    key = new_key()
    assert post(signed(store, key)).status_code in (201, 204)
    found = store.stat(key)
    assert (found.size, found.content_type) == (len(BYTES), PDF)
    assert b"".join(store.stream(key, etag=found.etag)) == BYTES


@pytest.mark.parametrize(
    ("content", "changed"),
    [
        (BYTES + b"x", {}),
        (BYTES[:-1], {}),
        (b"", {}),
        (BYTES[::-1], {}),
        (BYTES, {"key": "incoming/another"}),
        (BYTES, {"Content-Type": "text/html"}),
        (BYTES, {"x-amz-checksum-sha256": None}),
        (BYTES, {"x-amz-checksum-sha256": "A" * 43 + "="}),
        (BYTES, {"x-amz-signature": "0" * 64}),
        (BYTES, {"x-amz-meta-extra": "x"}),
    ],
    ids=["longer", "shorter", "empty", "bytes", "key", "type", "no hash", "other hash", "signature", "meta"],
)
def test_form_refuses_anything_else_and_stores_nothing(
    store: ObjectStore, content: bytes, changed: dict[str, str | None]
) -> None:
    key = new_key()
    assert post(signed(store, key), content, **changed).status_code in (400, 403)
    with pytest.raises(ObjectMissing):
        store.stat(key)


def test_expired_form_is_refused(store: ObjectStore) -> None:
    assert post(signed(store, new_key(), minutes=-1)).status_code == 403


def test_copy_is_made_of_the_seen_version_only(store: ObjectStore) -> None:
    key, target = new_key(), f"documents/{uuid.uuid4()}"
    store.put(key, BYTES, content_type="text/html")
    seen = store.stat(key)
    store.put(key, BYTES[::-1], content_type="text/html")
    with pytest.raises(ObjectChanged):
        store.copy_if_match(key, target, etag=seen.etag, content_type=PDF)
    with pytest.raises(ObjectChanged):
        list(store.stream(key, etag=seen.etag))
    with pytest.raises(ObjectMissing):
        store.stat(target)
    store.copy_if_match(key, target, etag=store.stat(key).etag, content_type=PDF)
    again = store.copy_if_match(key, target, etag=store.stat(key).etag, content_type=PDF)
    assert (again.size, again.content_type) == (len(BYTES), PDF)


def test_absent_object_is_missing_and_removed_already(store: ObjectStore) -> None:
    key = new_key()
    with pytest.raises(ObjectMissing):
        list(store.stream(key))
    with pytest.raises(ObjectMissing):
        store.copy_if_match(key, new_key(), etag="0" * 32, content_type=PDF)
    store.remove(key)


def test_wrong_secret_is_an_error_that_does_not_pass(objects: Objects) -> None:
    with pytest.raises(ObjectStoreError):
        port(objects.url, objects.bucket, "wrong-secret").stat("x")


def test_signed_address_serves_a_download_for_a_minute_at_most(store: ObjectStore) -> None:
    key = f"documents/{uuid.uuid4()}"
    store.put(key, BYTES, content_type=PDF)
    address = store.signed_get(key, filename='réclamation "1".pdf')
    served = httpx.get(address)
    assert served.content == BYTES
    assert served.headers["Content-Disposition"] == content_disposition('réclamation "1".pdf')
    assert httpx.get(address, headers={"Range": "bytes=0-3"}).content == BYTES[:4]
    assert httpx.get(address.replace(key, f"documents/{uuid.uuid4()}")).status_code == 403
    with pytest.raises(ValueError, match="at most"):
        store.signed_get(key, filename="x", expires=timedelta(seconds=61))


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.pdf", 'attachment; filename="a.pdf"'),
        ("é.pdf", "attachment; filename=\"_.pdf\"; filename*=UTF-8''%C3%A9.pdf"),
        ('a"; b=".pdf', "attachment; filename=\"a__ b=_.pdf\"; filename*=UTF-8''a%22%3B%20b%3D%22.pdf"),
        ("a\r\nX: y", "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y"),
    ],
)
def test_disposition_follows_rfc_6266(name: str, header: str) -> None:
    assert content_disposition(name) == header


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A store of this module alone, to kill."""
    folder = Path(tempfile.mkdtemp(prefix="espace-objects-"))
    server = Servers(folder, private=True).objects
    with reaped(folder):
        server.start()
        yield server
        server.kill()


def test_killed_or_frozen_store_is_a_dependency_that_is_down(server: Server) -> None:
    server.ensure_bucket("espace-test")
    store = port(server.url, "espace-test", server.secret_key, timeout=0.5)
    store.put("kept", BYTES, content_type=PDF)
    server.pause()
    with pytest.raises(ObjectStoreDown):
        store.stat("kept")
    server.resume()
    server.kill()
    with pytest.raises(DependencyDown):
        list(store.stream("kept"))
    with pytest.raises(DependencyDown):
        store.put("other", BYTES, content_type=PDF)
    store.signed_get("kept", filename="signing needs no store.pdf")
    server.start()
    assert b"".join(store.stream("kept")) == BYTES


def test_versions_stay_and_a_locked_one_cannot_be_deleted(objects: Objects) -> None:
    """What sealed papers and copies of the bucket rest on; asked of whichever server is there."""
    server = client(objects.url, objects.access_key, objects.secret_key)
    bucket = f"locked-{secrets.token_hex(6)}"
    server.make_bucket(bucket, object_lock=True)
    first, second = (
        server.put_object(bucket, "paper", BytesIO(text), len(text)) for text in (b"one", b"two")
    )
    assert {first.version_id, second.version_id} == {
        version.version_id for version in server.list_objects(bucket, include_version=True)
    }
    until_then = Retention(GOVERNANCE, utcnow() + timedelta(minutes=10))
    server.set_object_retention(bucket, "paper", until_then, version_id=first.version_id)
    with pytest.raises(S3Error) as refused:
        server.remove_object(bucket, "paper", version_id=first.version_id)
    assert refused.value.code == "AccessDenied"
    server.remove_object(bucket, "paper")
    with pytest.raises(S3Error):
        server.stat_object(bucket, "paper")
    kept = server.get_object(bucket, "paper", version_id=first.version_id)
    assert kept.read() == b"one"
    kept.release_conn()
