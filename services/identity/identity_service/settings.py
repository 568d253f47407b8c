"""What identity needs from its environment.

| variable | meaning |
|---|---|
| ESPACE_DATABASE_URL, ESPACE_PUBLIC_URL, ESPACE_ENVIRONMENT, ESPACE_WORKER_PORT | as for every service |
| ESPACE_NATIONAL_NUMBER_KEY | base64 of 32 bytes: wraps the citizens' keys, keys the look-up hash |
| ESPACE_SIGNING_KEYS | RSA private keys (PEM, one after the other): all are published, the first signs |
| ESPACE_CLIENTS_FILE | JSON as in ``stack/espace_stack/clients.json`` |
| ESPACE_UPSTREAM_ISSUER | issuer of the login source, as browsers see it |
| ESPACE_UPSTREAM_INSIDE_URL | where our own calls reach that issuer, if not at its address; default: there |
| ESPACE_UPSTREAM_CLIENT_ID, ESPACE_UPSTREAM_CLIENT_SECRET | who we are there |
| ESPACE_UPSTREAM_STATUS_URL | where the source says which means work; default: nowhere, they are tried |
| ESPACE_UPSTREAM_TRUSTED | whether that source may assert the national number; default true |
| ESPACE_REGISTER_URL | the National Register port: a number is posted to ``<url>/register/look-up`` |
| ESPACE_REGISTER_SECRET | bearer secret for it |
| ESPACE_EMAIL_CODE_LEVEL | assurance level of the code by e-mail; default 400 |
| ESPACE_FORMS_PER_MINUTE | form posts and failed client authentications allowed per address; default 120 |

Every secret may come as a file: ``ESPACE_<NAME>_FILE``.
"""

from dataclasses import dataclass
from pathlib import Path

from espace.config import ServiceSettings


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """Identity's settings. It speaks no AMQP and calls no sister service, so these may be absent."""

    amqp_url: str = ""
    identity_url: str = ""
    client_secret: str = ""

    national_number_key: str
    signing_keys: str
    clients_file: Path
    upstream_issuer: str
    upstream_inside_url: str = ""
    upstream_client_id: str
    upstream_client_secret: str
    upstream_status_url: str = ""
    upstream_trusted: bool = True
    register_url: str
    register_secret: str
    email_code_level: int = 400
    forms_per_minute: int = 120

    @property
    def callback_url(self) -> str:
        """Where the login source sends the browser back to."""
        return f"{self.issuer}/callback"
