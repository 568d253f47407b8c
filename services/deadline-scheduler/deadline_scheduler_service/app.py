"""Composition root of the API."""

from flask import Flask

from deadline_scheduler_service import api
from deadline_scheduler_service.settings import Settings
from espace import http
from espace.auth import TokenVerifier
from espace.db import Database


def create_app(
    settings: Settings, *, database: Database | None = None, verifier: TokenVerifier | None = None
) -> Flask:
    """The scheduler's API; it has no routes for citizens."""
    return http.create_app(
        "scheduler",
        settings,
        database
        or Database(
            settings.database_url, pool_size=settings.database_pool_size, application_name="scheduler-api"
        ),
        [api.services],
        title="Mon Espace: deadline-scheduler",
        verifier=verifier,
    )
