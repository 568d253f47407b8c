"""The S3 store: SeaweedFS from its wheel, one identity, one folder, nothing but the loopback address."""

import io
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from minio import Minio
from minio.error import MinioException
from urllib3.exceptions import HTTPError

from espace_stack.layout import BUCKET
from espace_stack.part import Part
from espace_stack.ports import Ports
from espace_stack.probe import status_of
from espace_stack.secret import Secrets

ACCESS_KEY = "espace"
PROBE = "espace-probe"


class ObjectStore(Part):
    """``weed server -s3``.

    It takes up to 18 s to end on SIGTERM, and writes nothing more in that time: what is acknowledged is
    already with the kernel. So it gets five, and none where the folder is thrown away.
    """

    port_names: tuple[str, ...] = (
        "objects",
        "weed-master",
        "weed-volume",
        "weed-filer",
        "weed-s3-grpc",
        "weed-master-grpc",
        "weed-volume-grpc",
        "weed-filer-grpc",
    )
    start_seconds = 60

    def __init__(self, folder: Path, ports: Ports, secrets: Secrets, *, patient: bool) -> None:
        super().__init__("objects", folder, ports)
        self._secret = secrets.file("objects")
        self._user_secret = secrets.file("store-secret-key")
        self._home = folder / "objects"
        self.stop_seconds = 5 if patient else 0

    @property
    def url(self) -> str:
        """The inside address."""
        return f"http://127.0.0.1:{self.ports['objects']}"

    @property
    def access_key(self) -> str:
        """The identity's public half."""
        return ACCESS_KEY

    @property
    def secret_key(self) -> str:
        """The identity's secret half."""
        return self._secret.read_text()

    @property
    def user_keys(self) -> tuple[str, str]:
        """Those of the platform, which may work in its bucket and nowhere else."""
        return BUCKET, self._user_secret.read_text()

    def prepare(self) -> None:
        (self._home / "data").mkdir(parents=True, exist_ok=True)
        file = self._home / "s3.json"
        file.touch(mode=0o600)
        file.write_text(self.configuration())

    def configuration(self) -> str:
        """Who may do what."""
        return json.dumps(identities(ACCESS_KEY, self.secret_key, *self.user_keys))

    def command(self) -> list[str]:
        port = self.ports
        options = {
            "dir": self._home / "data",
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "master.port": port["weed-master"],
            "master.port.grpc": port["weed-master-grpc"],
            "master.electionTimeout": "1s",
            "master.heartbeatInterval": "300ms",
            "master.volumeSizeLimitMB": 256,
            "volume.port": port["weed-volume"],
            "volume.port.grpc": port["weed-volume-grpc"],
            "volume.max": 500,
            "filer.port": port["weed-filer"],
            "filer.port.grpc": port["weed-filer-grpc"],
            "s3.port": port["objects"],
            "s3.port.grpc": port["weed-s3-grpc"],
            "s3.config": self._home / "s3.json",
            "s3.iam": "false",
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "iam": "false",
        }
        weed = str(Path(sys.executable).parent / "weed")
        return [weed, "server", "-filer", "-s3", *(f"-{name}={value}" for name, value in options.items())]

    def environment(self) -> dict[str, str]:
        # No GOMEMLIMIT: its untouched buffers count, and below a limit too low garbage is collected for ever.
        return {"HOME": str(self._home), "GOGC": "25"}

    def ready(self) -> bool:
        return status_of(f"{self.url}/status", 2) == 200 and self.keeps_bytes()

    def keeps_bytes(self) -> bool:
        """After a crash the front answers before the volumes behind it are found again."""
        try:
            return self._kept()
        except (MinioException, HTTPError):
            return False

    def _kept(self) -> bool:
        store = self.client()
        if not store.bucket_exists(PROBE):
            store.make_bucket(PROBE)
        if not any(store.list_objects(PROBE)):
            store.put_object(PROBE, PROBE, io.BytesIO(b"kept"), 4)
        answer = store.get_object(PROBE, PROBE)
        try:
            return answer.read() == b"kept"
        finally:
            answer.close()
            answer.release_conn()

    def client(self) -> Minio:
        """A client with the identity's rights."""
        return client(self.url, self.access_key, self.secret_key)

    def ensure_bucket(self, name: str) -> None:
        """Make the bucket unless it is there."""
        if not self.client().bucket_exists(name):
            self.client().make_bucket(name)


def identities(root_user: str, root_password: str, access_key: str, secret_key: str) -> dict[str, Any]:
    """SeaweedFS's list of who may do what: an administrator, and the platform in its own bucket."""
    rights = {
        root_user: (root_password, ["Admin", "Read", "List", "Tagging", "Write"]),
        access_key: (secret_key, [f"{verb}:{BUCKET}" for verb in ("Read", "List", "Tagging", "Write")]),
    }
    return {
        "identities": [
            {"name": name, "credentials": [{"accessKey": name, "secretKey": secret}], "actions": actions}
            for name, (secret, actions) in rights.items()
        ]
    }


def client(url: str, access_key: str, secret_key: str) -> Minio:
    """A client for the S3 server at ``url``."""
    parts = urlsplit(url)
    return Minio(
        parts.netloc,
        access_key=access_key,
        secret_key=secret_key,
        secure=parts.scheme == "https",
        region="us-east-1",
    )
