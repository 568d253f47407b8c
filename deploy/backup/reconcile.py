"""Whether databases and bucket agree, and the objects that rows miss put back from a copy."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from minio import Minio
from minio.error import S3Error

from deploy.backup.objects import CHUNK, KEPT, Copied, Copy

Rows = Callable[[str, str], list[tuple[Any, ...]]]
"""What a query finds in a service's database."""

_DOCUMENTS = "SELECT id, sha256 FROM documents WHERE state = 'verified'"
_MANIFESTS = "SELECT dossier_id, event_id, body FROM manifests WHERE written_at IS NOT NULL"
_PIECES = (
    "SELECT document_id, sha256 FROM attachments UNION ALL "
    "SELECT document_id, sha256 FROM information_request_pieces"
)


@dataclass
class Report:
    """What was found; each list holds keys of objects, or ids of documents for ``dangling``.

    Attributes:
        objects: how many rows have their object with the bytes they tell.
        missing: rows without an object, which no copy had.
        differing: objects with other bytes than their row tells.
        dangling: pieces of dossiers of which documents knows nothing, or something else.
        restored: objects put back.
        orphans: objects without a row, such as those of after the instant that was restored; they stay.
    """

    objects: int = 0
    missing: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    dangling: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether everything that rows tell is there."""
        return not (self.missing or self.differing or self.dangling)


def reconcile(rows: Rows, store: Minio, bucket: str, copy: Copy | None = None) -> Report:
    """Compare every row with its object, byte by byte.

    Args:
        copy: where objects that are missing are taken from.
    """
    report = Report()
    wanted = dict(_wanted(rows))
    copied = {(entry.key, entry.sha256): entry for entry in copy.entries()} if copy else {}
    for key, sha256 in wanted.items():
        found = sha256_of(store, bucket, key)
        entry = copied.get((key, sha256))
        if found is None and copy and entry and copy.has(sha256):
            _put_back(store, bucket, entry, copy)
            report.restored.append(key)
            found = sha256_of(store, bucket, key)
        if found is None:
            report.missing.append(key)
        elif found != sha256:
            report.differing.append(key)
        else:
            report.objects += 1
    for document_id, sha256 in rows("dossier", _PIECES):
        if wanted.get(f"documents/{document_id}") != sha256:
            report.dangling.append(str(document_id))
    there = [str(o.object_name) for p in KEPT for o in store.list_objects(bucket, p, recursive=True)]
    report.orphans = [key for key in there if key not in wanted]
    return report


def _wanted(rows: Rows) -> Iterator[tuple[str, str]]:
    for document_id, sha256 in rows("documents", _DOCUMENTS):
        yield f"documents/{document_id}", sha256
    for dossier_id, event_id, body in rows("documents", _MANIFESTS):
        yield f"manifests/{dossier_id}/{event_id}.json", hashlib.sha256(body.encode()).hexdigest()


def sha256_of(store: Minio, bucket: str, key: str) -> str | None:
    """Of an object's bytes, in hexadecimal; None when there is no such object."""
    try:
        answer = store.get_object(bucket, key)
    except S3Error as error:
        if error.code in ("NoSuchKey", "NoSuchObject"):
            return None
        raise
    digest = hashlib.sha256()
    try:
        for chunk in answer.stream(CHUNK):
            digest.update(chunk)
    finally:
        answer.close()
        answer.release_conn()
    return digest.hexdigest()


def _put_back(store: Minio, bucket: str, entry: Copied, copy: Copy) -> None:
    with copy.read(entry.sha256) as content:
        store.put_object(bucket, entry.key, content, entry.size, content_type=entry.content_type)
