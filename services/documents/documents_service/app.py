"""Composition root of the API."""

from flask import Flask

from documents_service import api
from documents_service.desk import open_desk
from documents_service.problems import SETTINGS, problems
from documents_service.settings import Settings
from espace import http
from espace.auth import TokenVerifier
from espace.db import Database


def create_app(
    settings: Settings, *, database: Database | None = None, verifier: TokenVerifier | None = None
) -> Flask:
    """The documents service's API."""
    database = database or Database(
        settings.database_url, pool_size=settings.database_pool_size, application_name="documents-api"
    )
    app = http.create_app(
        "documents",
        settings,
        database,
        api.blueprints,
        title="Mon Espace: documents",
        verifier=verifier,
        problems=problems,
    )
    app.extensions[SETTINGS] = settings
    app.extensions[api.DESK] = open_desk(settings, database)
    app.extensions[api.DOSSIER] = http.ServiceClient(
        audience="dossier", base_url=settings.dossier_url, settings=settings
    )
    return app
