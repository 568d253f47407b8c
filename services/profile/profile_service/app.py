"""Composition root of the API."""

from flask import Flask

from espace import http
from espace.auth import TokenVerifier
from espace.db import Database
from profile_service import api
from profile_service.settings import Settings


def create_app(
    settings: Settings, *, database: Database | None = None, verifier: TokenVerifier | None = None
) -> Flask:
    """The profile service's API."""
    app = http.create_app(
        "profile",
        settings,
        database
        or Database(
            settings.database_url, pool_size=settings.database_pool_size, application_name="profile-api"
        ),
        api.blueprints,
        title="Mon Espace: profile",
        verifier=verifier,
        problems=api.problems,
    )
    app.extensions[api.EXTENSION] = settings
    return app
