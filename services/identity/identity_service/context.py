"""What the views work with; built once by the composition root."""

from dataclasses import dataclass

from espace.clock import LegalClock
from espace.db import Database
from identity_service.clients import ClientRegistry
from identity_service.means import Means
from identity_service.provider import Provider
from identity_service.register import Register
from identity_service.settings import Settings
from identity_service.signing import SigningKeys
from identity_service.upstream import Upstream
from identity_service.userinfo import Profiles
from identity_service.vault import Vault


@dataclass(frozen=True)
class Context:
    """The parts of identity's API."""

    settings: Settings
    database: Database
    clients: ClientRegistry
    keys: SigningKeys
    vault: Vault
    profiles: Profiles
    provider: Provider
    upstream: Upstream
    register: Register
    means: dict[str, Means]
    clock: LegalClock
