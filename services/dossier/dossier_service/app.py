"""The API's composition root: the only place that wires it."""

from flask import Flask

from dossier_service.api import (
    deposits,
    dossiers,
    event_keys,
    information_requests,
    internal,
    journey,
    procedures,
)
from dossier_service.api.context import Counter
from dossier_service.claims.practice import Desk
from dossier_service.settings import Settings
from dossier_service.statements import StatementKeys
from espace import http
from espace.auth import TokenVerifier
from espace.auth.signing import Signer
from espace.clock import LegalClock
from espace.db import Database
from espace.http import ServiceClient

BLUEPRINTS = (
    procedures.blueprint,
    dossiers.blueprint,
    deposits.blueprint,
    information_requests.blueprint,
    event_keys.blueprint,
    internal.blueprint,
)


def create_app(
    settings: Settings,
    *,
    database: Database | None = None,
    verifier: TokenVerifier | None = None,
    identity: ServiceClient | None = None,
    keys: StatementKeys | None = None,
) -> Flask:
    """The dossier API; what is not given is made from the settings."""
    database = database or Database(
        settings.database_url, pool_size=settings.database_pool_size, application_name="dossier-api"
    )
    app = http.create_app(
        "dossier", settings, database, BLUEPRINTS, title="Mon Espace: dossiers", verifier=verifier
    )
    desk = Desk.open()
    journey.announce(desk)
    Counter(
        desk=desk,
        clock=LegalClock(settings.legal_clock_file, settings.environment),
        identity=identity
        or ServiceClient(audience="identity", base_url=settings.identity_url, settings=settings),
        keys=keys or StatementKeys.at(settings.documents_url),
        event_keys=Signer(settings.event_key).jwks(),
    ).open_in(app)
    return app
