"""Who may ask us for tokens: the clients of ``ESPACE_CLIENTS_FILE``.

Those of the demonstration are an example: ``stack/espace_stack/clients.json``.
"""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from espace.config import SettingsError

SCOPES = ("openid", "profile", "email", "address", "national_number", "offline_access")
GRANTS = frozenset({"authorization_code", "refresh_token", "client_credentials"})


@dataclass(frozen=True, kw_only=True)
class Client:
    """One client, with the methods Authlib asks for.

    ``client_secret`` is None for a public client (mobile, command line): PKCE alone protects it. Addresses
    are compared as strings, whole. ``audiences`` are the services it may call in its own name.
    """

    client_id: str
    client_name: str = ""
    client_secret: str | None = field(default=None, repr=False)
    grant_types: frozenset[str] = frozenset({"authorization_code"})
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    scope: str = ""
    audiences: frozenset[str] = frozenset()

    @property
    def client_metadata(self) -> dict[str, Any]:
        """What Authlib's endpoints look up."""
        return {"post_logout_redirect_uris": list(self.post_logout_redirect_uris)}

    @property
    def origins(self) -> frozenset[str]:
        """Origins a form's answer may be redirected to (for the content security policy)."""
        parts = (urlsplit(uri) for uri in (*self.redirect_uris, *self.post_logout_redirect_uris))
        return frozenset(f"{part.scheme}://{part.netloc}" for part in parts if part.netloc)

    def get_client_id(self) -> str:
        """Its name."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """There is none: the address must be said."""

    def get_allowed_scope(self, scope: str | None) -> str:
        """What of the wish is granted."""
        allowed = self.scope.split()
        return " ".join(part for part in (scope or "").split() if part in allowed and part in SCOPES)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Exactly one of the registered addresses."""
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """The secret, in constant time."""
        known = self.client_secret
        return known is not None and secrets.compare_digest(known.encode(), client_secret.encode())

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """A client with a secret must show it; one without cannot."""
        if self.client_secret is None:
            return method == "none"
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        """Codes only, and only for who logs citizens in."""
        return response_type == "code" and "authorization_code" in self.grant_types

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it registered for that grant."""
        return grant_type in self.grant_types


class ClientRegistry:
    """All clients, by id."""

    def __init__(self, clients: Iterable[Client]) -> None:
        self._clients = {client.client_id: client for client in clients}

    @classmethod
    def read(cls, file: Path) -> "ClientRegistry":
        """Read the file.

        Raises:
            SettingsError: it is missing or wrong; says where.
        """
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            return cls(_client(entry) for entry in data["clients"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise SettingsError(f"ESPACE_CLIENTS_FILE {file}: {error!r}") from error

    def find(self, client_id: str) -> Client | None:
        """The client of that id."""
        return self._clients.get(client_id)


def _client(entry: Mapping[str, Any]) -> Client:
    lists = {name: tuple(entry.get(name, ())) for name in ("redirect_uris", "post_logout_redirect_uris")}
    grants = frozenset(entry.get("grant_types", ("authorization_code",)))
    if not grants <= GRANTS:
        raise ValueError(f"{entry['client_id']}: unknown grant types {sorted(grants - GRANTS)}")
    if "client_credentials" in grants and not entry.get("client_secret"):
        raise ValueError(f"{entry['client_id']}: client_credentials needs a secret")
    if any("#" in uri or "*" in uri for uris in lists.values() for uri in uris):
        raise ValueError(f"{entry['client_id']}: an address has neither a fragment nor a wildcard")
    return Client(
        client_id=entry["client_id"],
        client_name=entry.get("client_name", entry["client_id"]),
        client_secret=entry.get("client_secret") or None,
        grant_types=grants,
        backchannel_logout_uri=entry.get("backchannel_logout_uri"),
        scope=entry.get("scope", ""),
        audiences=frozenset(entry.get("audiences", ())),
        **lists,
    )
