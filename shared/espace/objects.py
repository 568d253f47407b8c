"""The port to the object store (S3): signed forms in, signed addresses out, and the few verbs between.

Any S3 server does. Browsers reach the bucket on the gateway's own origin, so what they are given is signed
for the public host; this program talks to the inside address. Signing never calls the network.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any, Final
from urllib.parse import quote, urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import CopySource
from minio.datatypes import PostPolicy
from minio.error import InvalidResponseError, S3Error, ServerError
from urllib3.exceptions import HTTPError

from espace.clock import utcnow
from espace.errors import DependencyDown, EspaceError

REGION: Final = "us-east-1"  # a name to sign with; fixing it saves the client from asking the server
CHUNK: Final = 256 * 1024
LONGEST_DOWNLOAD: Final = timedelta(seconds=60)


class ObjectStoreError(EspaceError):
    """Whatever the store answers that is not what was asked for."""


class ObjectMissing(ObjectStoreError):
    """There is no object under this key."""


class ObjectChanged(ObjectStoreError):
    """The object is not the one that was seen before: its ETag differs."""


class ObjectStoreDown(DependencyDown):
    """The store does not answer, or answers that it cannot now."""


@dataclass(frozen=True)
class SignedForm:
    """A form for one upload: post ``fields`` in this order to ``url``, the field ``file`` last."""

    url: str
    fields: dict[str, str]


@dataclass(frozen=True)
class ObjectInfo:
    """What the store says about an object; ``etag`` without quotes."""

    size: int
    etag: str
    content_type: str


class ObjectStore:
    """One bucket.

    Args:
        inside_url: where this program reaches the store (``http://127.0.0.1:8333``).
        public_url: the origin under which browsers reach ``/<bucket>``.
        timeout: seconds the store may be silent.
    """

    def __init__(
        self,
        *,
        inside_url: str,
        public_url: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        timeout: float = 20.0,
    ) -> None:
        self.bucket = bucket
        self._public_url = public_url
        pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=3.0, read=timeout), retries=False, maxsize=10
        )
        self._inside = _client(inside_url, access_key, secret_key, pool)
        self._public = _client(public_url, access_key, secret_key, pool)

    def signed_post(
        self, key: str, *, size: int, content_type: str, sha256: str, expires: timedelta
    ) -> SignedForm:
        """A form that lets a browser store exactly these bytes under exactly this key.

        Args:
            sha256: hexadecimal, of the whole file; the store refuses other bytes.
        """
        fields = {
            "key": key,
            "Content-Type": content_type,
            "x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(sha256)).decode(),
            "x-amz-checksum-algorithm": "SHA256",
        }
        policy = PostPolicy(self.bucket, utcnow() + expires)
        for name, value in fields.items():
            policy.add_equals_condition(name, value)
        policy.add_content_length_range_condition(size, size)
        signed: dict[str, str] = self._public.presigned_post_policy(policy)
        return SignedForm(f"{self._public_url}/{self.bucket}", {**fields, **signed})

    def signed_get(self, key: str, *, filename: str, expires: timedelta = LONGEST_DOWNLOAD) -> str:
        """An address that serves the object as a download named ``filename``, for a minute at most."""
        if not timedelta(0) < expires <= LONGEST_DOWNLOAD:
            raise ValueError(f"a signed address lives at most {LONGEST_DOWNLOAD}")
        headers = {"response-content-disposition": content_disposition(filename)}
        address: str = self._public.presigned_get_object(
            self.bucket, key, expires=expires, response_headers=headers
        )
        return address

    def stat(self, key: str) -> ObjectInfo:
        """Size, ETag and type.

        Raises:
            ObjectMissing: no such object.
        """
        with _translated(key):
            found = self._inside.stat_object(self.bucket, key)
        return ObjectInfo(found.size or 0, (found.etag or "").strip('"'), found.content_type or "")

    def stream(self, key: str, *, etag: str | None = None) -> Iterator[bytes]:
        """The object's bytes in pieces.

        Args:
            etag: read only this version of the object.

        Raises:
            ObjectMissing: no such object.
            ObjectChanged: the object has another ETag.
        """
        with _translated(key):
            response = self._inside.get_object(
                self.bucket, key, request_headers={"If-Match": f'"{etag}"'} if etag else None
            )
            try:
                yield from response.stream(CHUNK)
            finally:
                response.close()
                response.release_conn()

    def copy_if_match(self, source: str, target: str, *, etag: str, content_type: str) -> ObjectInfo:
        """Copy within the bucket, provided that the source still has ``etag``.

        Args:
            content_type: of the copy; the source's was only claimed.

        Raises:
            ObjectMissing: no such source.
            ObjectChanged: the source has another ETag.
        """
        with _translated(source):
            self._inside.copy_object(
                self.bucket,
                target,
                CopySource(self.bucket, source, match_etag=etag),
                metadata={"Content-Type": content_type},
                metadata_directive="REPLACE",
            )
        return self.stat(target)

    def put(self, key: str, content: bytes, *, content_type: str) -> None:
        """Store bytes of our own making; the same key again replaces them."""
        with _translated(key):
            self._inside.put_object(
                self.bucket, key, BytesIO(content), length=len(content), content_type=content_type
            )

    def remove(self, key: str) -> None:
        """Remove an object; one that is not there is removed already."""
        with _translated(key):
            self._inside.remove_object(self.bucket, key)


def content_disposition(filename: str) -> str:
    """``attachment`` with a name every client reads (RFC 6266): ASCII for old ones, RFC 5987 for the rest."""
    plain = "".join(letter if " " <= letter <= "~" and letter not in '"\\%/;' else "_" for letter in filename)
    if plain == filename:
        return f'attachment; filename="{plain}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _client(url: str, access_key: str, secret_key: str, pool: urllib3.PoolManager) -> Any:
    parts = urlsplit(url)
    return Minio(
        parts.netloc,
        access_key=access_key,
        secret_key=secret_key,
        secure=parts.scheme == "https",
        region=REGION,
        http_client=pool,
    )


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        if error.code in ("NoSuchKey", "NoSuchObject"):
            raise ObjectMissing(key) from error
        if error.code == "PreconditionFailed":
            raise ObjectChanged(key) from error
        if error.response.status >= 500 or error.code == "SlowDown":
            raise ObjectStoreDown(f"the object store answered {error.code}") from error
        raise ObjectStoreError(f"the object store answered {error.code} for {key}") from error
    except (ServerError, InvalidResponseError) as error:
        raise ObjectStoreDown(f"the object store answered out of turn: {error}") from error
    except (HTTPError, OSError) as error:
        raise ObjectStoreDown("the object store does not answer") from error
