"""A copy of the bucket: each content once, under its SHA-256, and a list of what had which content.

A folder of copies looks so::

    content/ab/abcdef…      bytes
    inventory.jsonl         a line for each version of each object, in the order of their copying
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, BinaryIO, Final

from minio import Minio
from minio.datatypes import Object

CHUNK: Final = 1024 * 1024
KEPT: Final = ("documents/", "manifests/")
"""What rows point to; what is ``incoming/`` was never acknowledged and is sent again."""


@dataclass(frozen=True)
class Copied:
    """One version of one object; ``etag`` without quotes, ``sha256`` in hexadecimal."""

    key: str
    version: str
    etag: str
    size: int
    content_type: str
    sha256: str


class Copy:
    """The folder of one bucket's copy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._inventory = folder / "inventory.jsonl"

    def entries(self) -> Iterator[Copied]:
        """Everything that was ever copied; a line that a crash has cut is not there."""
        if self._inventory.exists():
            for line in self._inventory.read_text().splitlines(keepends=True):
                if line.endswith("\n"):
                    yield Copied(**json.loads(line))

    def update(self, store: Minio, bucket: str) -> int:
        """Copy every version that is not there yet; how many were copied."""
        known = {(entry.key, entry.version, entry.etag) for entry in self.entries()}
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        count = 0
        with self._inventory.open("a") as inventory:
            self._end_cut_line(inventory)
            for found in _versions(store, bucket):
                key, version, etag = _named(found)
                if (key, version, etag) not in known:
                    inventory.write(json.dumps(asdict(self._copy(store, bucket, found))) + "\n")
                    inventory.flush()
                    count += 1
        return count

    def has(self, sha256: str) -> bool:
        """Whether bytes with that hash were copied."""
        return self._content(sha256).exists()

    def read(self, sha256: str) -> BinaryIO:
        """The bytes with that hash, opened."""
        return self._content(sha256).open("rb")

    def _copy(self, store: Minio, bucket: str, found: Object) -> Copied:
        key, version, etag = _named(found)
        digest, size, making = hashlib.sha256(), 0, self._folder / "making"
        answer = store.get_object(bucket, key, version_id=version or None)
        try:
            with making.open("wb") as file:
                for chunk in answer.stream(CHUNK):
                    digest.update(chunk)
                    size += file.write(chunk)
            content_type = answer.headers.get("Content-Type", "application/octet-stream")
        finally:
            answer.close()
            answer.release_conn()
        content = self._content(digest.hexdigest())
        content.parent.mkdir(parents=True, exist_ok=True)
        making.rename(content)
        return Copied(key, version, etag, size, content_type, digest.hexdigest())

    def _content(self, sha256: str) -> Path:
        return self._folder / "content" / sha256[:2] / sha256

    def _end_cut_line(self, inventory: IO[str]) -> None:
        text = self._inventory.read_text()
        if text and not text.endswith("\n"):
            inventory.truncate(len(text.rpartition("\n")[0].encode()) + bool("\n" in text))


def _versions(store: Minio, bucket: str) -> Iterator[Object]:
    versioned = store.get_bucket_versioning(bucket).status == "Enabled"
    for prefix in KEPT:
        for found in store.list_objects(bucket, prefix, recursive=True, include_version=versioned):
            if not found.is_delete_marker:
                yield found


def _named(found: Object) -> tuple[str, str, str]:
    return str(found.object_name), found.version_id or "", (found.etag or "").strip('"')
