"""The environment of each program: addresses as variables, secrets as files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from espace_stack.keys import base64_key, ec_pem, rsa_pem
from espace_stack.layout import BUCKET, ROOT, SERVICES, ProgramName
from espace_stack.secret import Secrets

CLIENTS_EXAMPLE = ROOT / "services" / "identity" / "clients.example.json"
SIMULATOR_CLIENT = "identity"

QUICK_MAIL = {
    "ESPACE_MAIL_LEASE_SECONDS": "7",
    "ESPACE_SMTP_TIMEOUT_SECONDS": "2",
    "ESPACE_SMTP_DATA_TIMEOUT_SECONDS": "2",
}
"""Tests do not wait two minutes for a killed sender's lease to end."""


class ProgramSettings:
    """Writes secrets and gives each program the names of the files it may read.

    Args:
        url: address of a part by its name.
        environment: ``demo`` or ``test``.
        scanner: the address of a clamd, if there is one.
    """

    def __init__(
        self,
        folder: Path,
        secrets: Secrets,
        url: Callable[[str], str],
        environment: str,
        scanner: str | None,
    ) -> None:
        self._folder = folder
        self._secrets = secrets
        self._url = url
        self._environment = environment
        self._scanner = scanner
        self.extra: dict[str, dict[str, str]] = {}

    @property
    def clock_file(self) -> Path:
        """Where legal time is kept."""
        return self._folder / "legal-clock.json"

    def crash_folder(self, program: str) -> Path:
        """Where crash points of ``program`` are armed."""
        return self._folder / "crash" / program

    def of(
        self,
        program: ProgramName,
        *,
        database: str,
        amqp: str,
        worker_port: int,
        smtp: tuple[str, int],
        store: tuple[str, str],
    ) -> dict[str, str]:
        """The whole environment of ``program``."""
        public = self._url("gateway")
        secret = self._secrets
        service = program.service
        environment = {
            "ESPACE_ENVIRONMENT": self._environment,
            "ESPACE_PUBLIC_URL": public,
            "ESPACE_DATABASE_URL_FILE": str(secret.keep(f"{service}-database-url", database)),
            "ESPACE_LEGAL_CLOCK_FILE": str(self.clock_file),
            "ESPACE_CLIENT_SECRET_FILE": str(secret.file(f"client-{service}")),
            **{f"ESPACE_{name.upper()}_URL": self._url(f"{name}-api") for name in SERVICES},
        }
        if program.role == "worker":
            environment["ESPACE_WORKER_PORT"] = str(worker_port)
        if service not in ("identity", "web"):
            environment["ESPACE_AMQP_URL_FILE"] = str(secret.keep("amqp-url", amqp))
        if self._environment == "test":
            self.crash_folder(program.name).mkdir(parents=True, exist_ok=True)
            environment["ESPACE_CRASH_DIR"] = str(self.crash_folder(program.name))
        environment.update(self._own(service, smtp, store))
        environment.update(self.extra.get(program.name, {}))
        return environment

    def _own(self, service: str, smtp: tuple[str, int], store: tuple[str, str]) -> dict[str, str]:
        secret = self._secrets
        match service:
            case "identity":
                return {
                    "ESPACE_NATIONAL_NUMBER_KEY_FILE": str(secret.file("national-number-key", base64_key)),
                    "ESPACE_SIGNING_KEYS_FILE": str(secret.file("signing-keys", rsa_pem)),
                    "ESPACE_CLIENTS_FILE": str(self.write_clients()),
                    "ESPACE_UPSTREAM_ISSUER": self._url("simulator"),
                    "ESPACE_UPSTREAM_STATUS_URL": f"{self._url('simulator')}/status",
                    "ESPACE_UPSTREAM_CLIENT_ID": SIMULATOR_CLIENT,
                    "ESPACE_UPSTREAM_CLIENT_SECRET_FILE": str(secret.file("upstream")),
                    "ESPACE_REGISTER_URL": self._url("simulator"),
                    "ESPACE_REGISTER_SECRET_FILE": str(secret.file("register")),
                    "AUTHLIB_INSECURE_TRANSPORT": "1",
                }
            case "profile":
                return {"ESPACE_CONFIRMATION_KEY_FILE": str(secret.file("confirmation-key"))}
            case "documents":
                scanner = {"ESPACE_CLAMD_ADDRESS": self._scanner} if self._scanner else {}
                return {
                    **self._store(*store),
                    **scanner,
                    "ESPACE_STATEMENT_KEY_FILE": str(secret.file("statement-key", ec_pem)),
                }
            case "notifier":
                quick = QUICK_MAIL if self._environment == "test" else {}
                return {"ESPACE_SMTP_HOST": smtp[0], "ESPACE_SMTP_PORT": str(smtp[1]), **quick}
            case "web":
                return {
                    "ESPACE_SESSION_KEY_FILE": str(secret.file("session-key")),
                    "ESPACE_OBJECTS_URL": self._url("objects"),
                    "ESPACE_BUCKET": BUCKET,
                    "ESPACE_UPSTREAM_ISSUER": self._url("simulator"),
                }
            case _:
                return {}

    def simulator(self) -> dict[str, str]:
        """The login simulator's environment; it shares nothing with ours but its client."""
        return {
            "SIMULATOR_PUBLIC_URL": self._url("simulator"),
            "SIMULATOR_CLIENT_ID": SIMULATOR_CLIENT,
            "SIMULATOR_CLIENT_SECRET": self._secrets.value("upstream"),
            "SIMULATOR_REDIRECT_URIS": f"{self._url('gateway')}/identity/callback",
            "SIMULATOR_POST_LOGOUT_REDIRECT_URIS": f"{self._url('gateway')}/deconnecte",
            "SIMULATOR_REGISTER_SECRET": self._secrets.value("register"),
        }

    def write_clients(self) -> Path:
        """Identity's clients: the example's, with this stack's secrets and origin."""
        text = CLIENTS_EXAMPLE.read_text(encoding="utf-8").replace(
            "http://localhost:8080", self._url("gateway")
        )
        clients: dict[str, Any] = json.loads(text)
        for client in clients["clients"]:
            if client.get("client_secret"):
                client["client_secret"] = self._secrets.value(f"client-{client['client_id']}")
        return self._secrets.keep("clients.json", json.dumps(clients, indent=1))

    def _store(self, access_key: str, secret_key: str) -> dict[str, str]:
        return {
            "ESPACE_OBJECTS_URL": self._url("objects"),
            "ESPACE_OBJECTS_ACCESS_KEY_FILE": str(self._secrets.keep("store-access-key", access_key)),
            "ESPACE_OBJECTS_SECRET_KEY_FILE": str(self._secrets.keep("store-secret-key", secret_key)),
            "ESPACE_BUCKET": BUCKET,
        }
