"""The notifier's API, wired."""

from flask import Flask

from espace.auth import TokenVerifier
from espace.db import Database
from espace.http import create_app as create_kit_app
from notifier_service.api import notifications
from notifier_service.settings import Settings


def create_app(settings: Settings, *, verifier: TokenVerifier | None = None) -> Flask:
    """The API; ``verifier`` is by default identity's."""
    database = Database(
        settings.database_url, pool_size=settings.database_pool_size, application_name="notifier-api"
    )
    return create_kit_app(
        "notifier", settings, database, [notifications], title="Mon Espace: messages", verifier=verifier
    )
