"""Composition root of identity's API."""

import os

import httpx
from flask import Flask

from espace import http
from espace.auth import StaticKeys, TokenVerifier
from espace.clock import LegalClock
from espace.db import Database
from identity_service import api, means, pages, protocol
from identity_service.access_tokens import AccessTokens
from identity_service.clients import ClientRegistry
from identity_service.context import Context
from identity_service.provider import Provider
from identity_service.register import HttpRegister, Register
from identity_service.settings import Settings
from identity_service.signing import SigningKeys
from identity_service.upstream import Upstream
from identity_service.userinfo import Profiles
from identity_service.vault import Vault


def create_app(
    settings: Settings,
    database: Database | None = None,
    *,
    transport: httpx.BaseTransport | None = None,
    register: Register | None = None,
) -> Flask:
    """Build the API; ``transport`` carries the calls to the login source (tests bring their own)."""
    # TLS ends at the gateway; Authlib's own check would look at the inside address.
    os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")
    database = database or Database(
        settings.database_url, pool_size=settings.database_pool_size, application_name="identity-api"
    )
    clients = ClientRegistry.read(settings.clients_file)
    keys = SigningKeys(settings.signing_keys)
    vault = Vault(settings.national_number_key)
    profiles = Profiles(vault)
    verifier = TokenVerifier(settings.issuer, StaticKeys(keys.jwks))
    context = Context(
        settings=settings,
        database=database,
        clients=clients,
        keys=keys,
        vault=vault,
        profiles=profiles,
        provider=Provider(settings.issuer, keys, clients, profiles, AccessTokens(verifier, clients)),
        upstream=Upstream(settings, transport),
        register=register or HttpRegister(settings, transport),
        means=means.catalogue(settings.email_code_level),
        clock=LegalClock(settings.legal_clock_file, settings.environment),
    )
    blueprints = (protocol.create(context), pages.create(context), api.create(context))
    return http.create_app(
        "identity", settings, database, blueprints, title="Mon Espace: identity", verifier=verifier
    )
