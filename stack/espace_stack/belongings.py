"""What a stack keeps on its servers: a database with its role per service, queues with policies, a bucket."""

import contextlib
import secrets
import traceback
from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import httpx
import pika
import psycopg
from minio import Minio
from minio.credentials.providers import StaticProvider
from minio.error import MinioException, S3Error
from minio.minioadmin import MinioAdmin
from pika.exceptions import AMQPError
from urllib3.exceptions import HTTPError

from espace.bus import topology
from espace_stack.layout import BUCKET
from espace_stack.part import FailedPart
from espace_stack.parts.objects import client
from espace_stack.parts.postgres import address_for, drop_database, ensure_database, ensure_role
from espace_stack.secret import Secrets
from espace_stack.servers import Addresses

MONITOR = "monitor"


class Belongings:
    """Makes them, and on servers that stay when the stack goes, takes them away again.

    Every method raises :class:`FailedPart`, which names the server, when that does not do its part.

    Args:
        services: service → its package.
        addresses: where the servers are, with the administrators' credentials.
        logs: folder for what a migration that failed has said.
    """

    def __init__(
        self, services: Mapping[str, str], addresses: Callable[[], Addresses], passwords: Secrets, logs: Path
    ) -> None:
        self._services = services
        self._addresses = addresses
        self._passwords = passwords
        self._logs = logs

    def database_url(self, service: str) -> str:
        """The address of a service's database, for its own role."""
        return address_for(service, self._password(service), service, at=self._addresses().postgres)

    def make_databases(self, *, rotate: bool = False) -> None:
        """A role and a database of its own for each service.

        Args:
            rotate: give a role that is there our password, instead of taking it for someone else's.
        """
        with _named("postgres"):
            for service in self._services:
                if rotate:
                    ensure_role(self._addresses().postgres, service, self._password(service))
                ensure_database(self._addresses().postgres, service, self._password(service))

    def make_migrated_databases(self) -> None:
        """The same with their schemas, which takes the services' own code."""
        self.make_databases()
        for service, package in self._services.items():
            self._migrate(self.database_url(service), package)

    def make_queues(self) -> None:
        """Queues and policies in the broker's virtual host."""
        management = self._addresses().management
        if not management:
            return  # a broker given without its management address brings its own policies
        with _named("rabbitmq"):
            wanted = topology.definitions(self._virtual_host())
            answer = httpx.post(f"{management}/api/definitions", json=wanted, timeout=60)
            if not answer.is_success:
                raise PermissionError(f"it does not take the definitions: {answer.status_code} {answer.text}")

    def make_bucket(self) -> None:
        """The bucket of the documents."""
        with _named("objects"):
            if not self._store().bucket_exists(BUCKET):
                self._store().make_bucket(BUCKET)

    def make_monitor(self, password: str) -> None:
        """A role that may read the server's statistics, and nothing of ours."""
        with _named("postgres"):
            ensure_role(self._addresses().postgres, MONITOR, password, member_of="pg_monitor")

    def make_store_user(self, access_key: str, secret_key: str) -> None:
        """Who may work in the bucket and nowhere else, where the server does not know her yet.

        SeaweedFS is told by its configuration, MinIO by its administrator's interface.
        """
        with _named("objects"):
            try:
                client(self._addresses().objects, access_key, secret_key).bucket_exists(BUCKET)
            except S3Error as error:
                if error.code not in ("InvalidAccessKeyId", "SignatureDoesNotMatch"):
                    raise
                self._add_minio_user(access_key, secret_key)

    def _add_minio_user(self, access_key: str, secret_key: str) -> None:
        address = self._addresses()
        place = urlsplit(address.objects)
        credentials = StaticProvider(address.objects_access_key, address.objects_secret_key)
        admin = MinioAdmin(endpoint=place.netloc, credentials=credentials, secure=place.scheme == "https")
        resources = [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": resources}],
        }
        admin.policy_add(BUCKET, policy=policy)
        admin.user_add(access_key, secret_key)
        admin.attach_policy([BUCKET], user=access_key)

    def forget(self, given: Container[str]) -> None:
        """Drop all of it on the servers whose addresses were ``given``."""
        if "POSTGRES_URL" in given:
            with _named("postgres"):
                for service in self._services:
                    drop_database(self._addresses().postgres, service, self._password(service))
        if "AMQP_URL" in given:
            with _named("rabbitmq"):
                self._delete_queues()
        if "OBJECTS_URL" in given:
            with _named("objects"):
                self._delete_bucket()

    def _migrate(self, url: str, package: str) -> None:
        from espace.db import migrations

        try:
            migrations.upgrade(url, package)
        except Exception as error:
            log = self._logs / f"{package}-migrate.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(traceback.format_exc())
            raise FailedPart(f"migration of {package}", "failed", str(error), log) from error

    def _delete_queues(self) -> None:
        address = self._addresses()
        with pika.BlockingConnection(pika.URLParameters(address.amqp)) as connection:
            channel = connection.channel()
            for queue in topology.queues():
                channel.queue_delete(queue.name)
            for exchange in topology.exchanges():
                channel.exchange_delete(exchange.name)
        if address.management:
            for policy in topology.policies():
                place = f"{address.management}/api/policies/{quote(self._virtual_host(), safe='')}/{policy}"
                httpx.delete(place, timeout=20)

    def _delete_bucket(self) -> None:
        store = self._store()
        if store.bucket_exists(BUCKET):
            for entry in store.list_objects(BUCKET, recursive=True):
                store.remove_object(BUCKET, entry.object_name or "")
            store.remove_bucket(BUCKET)

    def _virtual_host(self) -> str:
        return unquote(urlsplit(self._addresses().amqp).path[1:]) or "/"

    def _store(self) -> Minio:
        address = self._addresses()
        return client(address.objects, address.objects_access_key, address.objects_secret_key)

    def _password(self, service: str) -> str:
        return self._passwords.value(f"database-{service}", lambda: secrets.token_hex(24))


@contextlib.contextmanager
def _named(server: str) -> Iterator[None]:
    """Say which server it was."""
    try:
        yield
    except (psycopg.Error, httpx.HTTPError, AMQPError, MinioException, HTTPError, OSError) as error:
        raise FailedPart(server, f"{type(error).__name__}: {error}") from error
