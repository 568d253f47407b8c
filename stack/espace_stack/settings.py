"""The environment of each program: addresses as variables, secrets as files."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espace_stack.keys import base64_key, ec_pem, rsa_pem
from espace_stack.layout import BUCKET, CALLS, SPEAK_AMQP, SYNTHETIC, ProgramName
from espace_stack.secret import Secrets

CLIENTS = Path(__file__).parent / "clients.json"
CLIENTS_ORIGIN = "http://localhost:8080"
SIMULATOR_CLIENT = "identity"
LOGIN_FIELDS = "means=itsme\nusername=controle\naction=confirm"
"""How the synthetic citizen of the demonstration goes through the login's forms."""

QUICK_MAIL = {
    "ESPACE_MAIL_LEASE_SECONDS": "7",
    "ESPACE_SMTP_TIMEOUT_SECONDS": "2",
    "ESPACE_SMTP_DATA_TIMEOUT_SECONDS": "2",
}
"""Tests do not wait two minutes for a killed sender's lease to end."""

WEAK_CODE = "350"
"""In tests a code by e-mail is weaker than the claim asks for: a stronger login can be asked for."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Where programs find what they need.

    Attributes:
        url: address of a part by its name; ``gateway`` and ``simulator`` as browsers see them.
        simulator_inside: where programs reach the simulator, if that is not at its public address.
        gateway_inside: the same of the gateway.
        scanner: the address of a clamd, if there is one.
    """

    environment: str
    url: Callable[[str], str]
    database_url: Callable[[str], str]
    amqp: str
    smtp: tuple[str, int]
    store_keys: tuple[str, str]
    clock_file: Path
    worker_port: Callable[[str], int]
    simulator_inside: str = ""
    gateway_inside: str = ""
    scanner: str | None = None


class ProgramSettings:
    """Writes secrets and gives each program the names of the files it may read.

    Args:
        crash_points: the folder below which tests arm them; none outside tests.
    """

    def __init__(
        self, secrets: Secrets, surroundings: Callable[[], Surroundings], crash_points: Path | None = None
    ) -> None:
        self._secrets = secrets
        self._surroundings = surroundings
        self._crash_points = crash_points
        self.extra: dict[str, dict[str, str]] = {}

    def crash_folder(self, program: str) -> Path:
        """Where crash points of ``program`` are armed."""
        assert self._crash_points is not None
        return self._crash_points / program

    def of(self, program: ProgramName) -> dict[str, str]:
        """The whole environment of ``program``: what its settings read, and nothing else."""
        there, secret, service = self._surroundings(), self._secrets, program.service
        environment = {
            "ESPACE_ENVIRONMENT": there.environment,
            "ESPACE_PUBLIC_URL": there.url("gateway"),
            "ESPACE_DATABASE_URL_FILE": str(
                secret.keep(f"{service}-database-url", there.database_url(service))
            ),
            "ESPACE_LEGAL_CLOCK_FILE": str(there.clock_file),
            **{f"ESPACE_{name.upper()}_URL": there.url(f"{name}-api") for name in CALLS[service]},
        }
        if service != "identity":
            environment["ESPACE_CLIENT_SECRET_FILE"] = str(secret.file(f"client-{service}"))
        if program.role == "worker":
            environment["ESPACE_WORKER_PORT"] = str(there.worker_port(program.name))
        if service in SPEAK_AMQP:
            environment["ESPACE_AMQP_URL_FILE"] = str(secret.keep("amqp-url", there.amqp))
        if self._crash_points is not None:
            self.crash_folder(program.name).mkdir(parents=True, exist_ok=True)
            environment["ESPACE_CRASH_DIR"] = str(self.crash_folder(program.name))
        return {**environment, **self._own(service, there), **self.extra.get(program.name, {})}

    def _own(self, service: str, there: Surroundings) -> dict[str, str]:
        secret = self._secrets
        simulator = there.url("simulator")
        match service:
            case "identity":
                inside = {"ESPACE_UPSTREAM_INSIDE_URL": there.simulator_inside}
                weak = {"ESPACE_EMAIL_CODE_LEVEL": WEAK_CODE}
                return {
                    "ESPACE_NATIONAL_NUMBER_KEY_FILE": str(secret.file("national-number-key", base64_key)),
                    "ESPACE_SIGNING_KEYS_FILE": str(secret.file("signing-keys", rsa_pem)),
                    "ESPACE_CLIENTS_FILE": str(self._write_clients(there)),
                    "ESPACE_UPSTREAM_ISSUER": simulator,
                    **(inside if there.simulator_inside else {}),
                    **(weak if there.environment == "test" else {}),
                    "ESPACE_UPSTREAM_STATUS_URL": f"{simulator}/status",
                    "ESPACE_UPSTREAM_CLIENT_ID": SIMULATOR_CLIENT,
                    "ESPACE_UPSTREAM_CLIENT_SECRET_FILE": str(secret.file("upstream")),
                    "ESPACE_REGISTER_URL": there.simulator_inside or simulator,
                    "ESPACE_REGISTER_SECRET_FILE": str(secret.file("register")),
                }
            case "profile":
                return {"ESPACE_CONFIRMATION_KEY_FILE": str(secret.file("confirmation-key"))}
            case "dossier":
                return {"ESPACE_EVENT_KEY_FILE": str(secret.file("event-key", ec_pem))}
            case "documents":
                access_key, secret_key = there.store_keys
                return {
                    **self._store(there),
                    "ESPACE_OBJECTS_ACCESS_KEY_FILE": str(secret.keep("store-access-key", access_key)),
                    "ESPACE_OBJECTS_SECRET_KEY_FILE": str(secret.keep("store-secret-key", secret_key)),
                    "ESPACE_STATEMENT_KEY_FILE": str(secret.file("statement-key", ec_pem)),
                    **({"ESPACE_CLAMD_ADDRESS": there.scanner} if there.scanner else {}),
                }
            case "notifier":
                quick = QUICK_MAIL if there.environment == "test" else {}
                return {"ESPACE_SMTP_HOST": there.smtp[0], "ESPACE_SMTP_PORT": str(there.smtp[1]), **quick}
            case "web":
                session_key = {"ESPACE_SESSION_KEY_FILE": str(secret.file("session-key"))}
                return {**session_key, **self._store(there), "ESPACE_UPSTREAM_ISSUER": simulator}
            case _:
                return {}

    def simulator(self) -> dict[str, str]:
        """The login simulator's environment; it shares nothing with ours but its client."""
        there = self._surroundings()
        public = there.url("gateway")
        weak = {"SIMULATOR_EMAIL_CODE_LEVEL": WEAK_CODE}
        return {
            **(weak if there.environment == "test" else {}),
            "SIMULATOR_PUBLIC_URL": there.url("simulator"),
            "SIMULATOR_CLIENT_ID": SIMULATOR_CLIENT,
            "SIMULATOR_CLIENT_SECRET_FILE": str(self._secrets.file("upstream")),
            "SIMULATOR_REDIRECT_URIS": f"{public}/identity/callback",
            "SIMULATOR_POST_LOGOUT_REDIRECT_URIS": f"{public}/deconnecte",
            "SIMULATOR_REGISTER_SECRET_FILE": str(self._secrets.file("register")),
            **self.extra.get("simulator", {}),
        }

    def synthetic(self) -> dict[str, str]:
        """The environment of the synthetic citizen."""
        there, secret = self._surroundings(), self._secrets
        inside = {
            "ESPACE_GATEWAY_URL": there.gateway_inside,
            "ESPACE_UPSTREAM_INSIDE_URL": there.simulator_inside,
        }
        return {
            "ESPACE_ENVIRONMENT": there.environment,
            "ESPACE_PUBLIC_URL": there.url("gateway"),
            "ESPACE_UPSTREAM_ISSUER": there.url("simulator"),
            **{name: value for name, value in inside.items() if value},
            "ESPACE_CLIENT_SECRET_FILE": str(secret.file("client-synthetic")),
            "ESPACE_LOGIN_FIELDS_FILE": str(secret.keep("login-fields", LOGIN_FIELDS)),
            "ESPACE_WORKER_PORT": str(there.worker_port(SYNTHETIC[0])),
        }

    def _write_clients(self, there: Surroundings) -> Path:
        """Identity's clients: the demonstration's, with this platform's secrets and origin."""
        text = CLIENTS.read_text(encoding="utf-8").replace(CLIENTS_ORIGIN, there.url("gateway"))
        clients: dict[str, Any] = json.loads(text)
        for client in clients["clients"]:
            if client.get("client_secret"):
                client["client_secret"] = self._secrets.value(f"client-{client['client_id']}")
            if "backchannel_logout_uri" in client:  # called by identity, so by the inside address
                client["backchannel_logout_uri"] = there.url("web") + client[
                    "backchannel_logout_uri"
                ].removeprefix(there.url("gateway"))
        return self._secrets.keep("clients.json", json.dumps(clients, indent=1))

    @staticmethod
    def _store(there: Surroundings) -> dict[str, str]:
        return {"ESPACE_OBJECTS_URL": there.url("objects"), "ESPACE_BUCKET": BUCKET}
