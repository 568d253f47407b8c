"""Copies of the bucket, and what the backup's commands refuse."""

import hashlib
import io
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from minio import Minio
from minio.commonconfig import ENABLED
from minio.versioningconfig import VersioningConfig

from deploy.backup.database import BackupError, restore
from deploy.backup.objects import Copy
from deploy.backup.reconcile import reconcile
from espace_stack.parts.objects import client
from espace_stack.servers import Addresses

DOCUMENT = "5b1f9f0a-7f6c-4d0e-9d55-0f3c6b2f1a01"
KEY = f"documents/{DOCUMENT}"


class Bucket:
    """A bucket of this test alone."""

    def __init__(self, store: Minio) -> None:
        self.store = store
        self.name = f"test-{secrets.token_hex(6)}"
        store.make_bucket(self.name)

    def put(self, key: str, content: bytes) -> None:
        self.store.put_object(
            self.name, key, io.BytesIO(content), len(content), content_type="application/pdf"
        )

    def remove(self, key: str) -> None:
        self.store.remove_object(self.name, key)


@pytest.fixture
def bucket(parts: Addresses) -> Iterator[Bucket]:
    made = Bucket(client(parts.objects, parts.objects_access_key, parts.objects_secret_key))
    yield made
    versioned = made.store.get_bucket_versioning(made.name).status == ENABLED
    for found in made.store.list_objects(made.name, recursive=True, include_version=versioned):
        made.store.remove_object(made.name, str(found.object_name), version_id=found.version_id)
    made.store.remove_bucket(made.name)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_only_what_is_new_is_copied_and_every_content_once(bucket: Bucket, tmp_path: Path) -> None:
    copy = Copy(tmp_path)
    bucket.put(KEY, b"one")
    bucket.put("manifests/1/2.json", b"one")
    bucket.put("incoming/3", b"never acknowledged")
    assert copy.update(bucket.store, bucket.name) == 2
    assert copy.update(bucket.store, bucket.name) == 0
    bucket.put("documents/4", b"two")
    assert copy.update(bucket.store, bucket.name) == 1
    assert [(entry.key, entry.sha256) for entry in copy.entries()] == [
        (KEY, sha256(b"one")),
        ("manifests/1/2.json", sha256(b"one")),
        ("documents/4", sha256(b"two")),
    ]
    assert {path.read_bytes() for path in tmp_path.glob("content/*/*")} == {b"one", b"two"}
    with copy.read(sha256(b"two")) as content:
        assert content.read() == b"two"


def test_versions_are_copied_where_the_store_keeps_them(bucket: Bucket, tmp_path: Path) -> None:
    bucket.store.set_bucket_versioning(bucket.name, VersioningConfig(ENABLED))
    bucket.put(KEY, b"first")
    bucket.put(KEY, b"second")
    bucket.remove(KEY)
    copy = Copy(tmp_path)
    assert copy.update(bucket.store, bucket.name) == 2
    assert {entry.sha256 for entry in copy.entries()} == {sha256(b"first"), sha256(b"second")}


def test_a_copy_that_was_cut_off_is_made_again(bucket: Bucket, tmp_path: Path) -> None:
    bucket.put(KEY, b"one")
    bucket.put("documents/4", b"two")
    Copy(tmp_path).update(bucket.store, bucket.name)
    inventory = tmp_path / "inventory.jsonl"
    inventory.write_bytes(inventory.read_bytes()[:-20])
    copy = Copy(tmp_path)
    assert copy.update(bucket.store, bucket.name) == 1
    assert {entry.key for entry in copy.entries()} == {KEY, "documents/4"}


def test_rows_and_objects_are_compared_and_what_is_missing_is_put_back(
    bucket: Bucket, tmp_path: Path
) -> None:
    rows = {"documents": [(DOCUMENT, sha256(b"one"))], "dossier": [(DOCUMENT, sha256(b"one"))]}

    def found(service: str, query: str) -> list[tuple[Any, ...]]:
        return [] if "manifests" in query else list(rows[service])

    copy = Copy(tmp_path)
    bucket.put(KEY, b"one")
    bucket.put("documents/4", b"two")
    copy.update(bucket.store, bucket.name)
    whole = reconcile(found, bucket.store, bucket.name)
    assert (whole.whole, whole.objects, whole.orphans) == (True, 1, ["documents/4"])

    bucket.remove(KEY)
    assert reconcile(found, bucket.store, bucket.name).missing == [KEY]
    assert reconcile(found, bucket.store, bucket.name, copy).restored == [KEY]
    assert reconcile(found, bucket.store, bucket.name).whole

    bucket.remove(KEY)
    content = next(path for path in tmp_path.glob("content/*/*") if path.read_bytes() == b"one")
    content.unlink()
    assert reconcile(found, bucket.store, bucket.name, copy).missing == [KEY]

    bucket.put(KEY, b"other bytes")
    differing = reconcile(found, bucket.store, bucket.name, copy)
    assert (differing.whole, differing.differing) == (False, [KEY])

    rows["dossier"] = [(DOCUMENT, sha256(b"two"))]
    assert reconcile(found, bucket.store, bucket.name).dangling == [DOCUMENT]


def test_a_data_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("18")
    with pytest.raises(BackupError, match="is not empty"):
        restore(tmp_path, tmp_path / "data")


def test_an_instant_before_the_first_base_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base" / "2026-11-26T03:00:00Z").mkdir(parents=True)
    with pytest.raises(BackupError, match="the first ended at 2026-11-26T03:00:00Z"):
        restore(tmp_path, tmp_path / "data", datetime(2026, 11, 26, 2, 59, tzinfo=UTC))
    with pytest.raises(BackupError, match="there is none"):
        restore(tmp_path / "elsewhere", tmp_path / "data")


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["base", "--to", "{}"], 2, "ESPACE_POSTGRES_URL (or ESPACE_POSTGRES_URL_FILE) is not set"),
        (["restore", "--from", "{}", "--into", "{}/data", "--at", "noon"], 2, "such as 2026-11-26T03:00:00Z"),
        (["restore", "--from", "{}", "--into", "{}/data"], 1, "no base backup in"),
    ],
)
def test_the_commands_say_what_they_want(
    tmp_path: Path, arguments: list[str], status: int, told: str
) -> None:
    command = [sys.executable, "-W", "error", "-m", "deploy.backup"]
    command += [argument.format(tmp_path) for argument in arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ESPACE_")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, told in done.stderr) == (status, True), done.stderr
