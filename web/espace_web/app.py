"""The composition root: builds the frontend's Flask application."""

from pathlib import Path

import httpx
from flask import Flask
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader

from espace.clock import LegalClock
from espace.db import Database
from espace.i18n import Texts
from espace_web import errors, guard, headers, probes, templating
from espace_web.context import House
from espace_web.oidc import OpenIdClient
from espace_web.remote import TIMEOUT, Remote
from espace_web.sessions import SessionStore
from espace_web.settings import WebSettings
from espace_web.tokens import TokenKeeper
from espace_web.vault import Vault
from espace_web.views import BLUEPRINTS

FOLDER = Path(__file__).parent


def create_app(
    settings: WebSettings, *, oidc: OpenIdClient | None = None, http: httpx.Client | None = None
) -> Flask:
    """The application; tests may give their own OpenID client and HTTP client."""
    app = Flask("espace_web", static_folder=str(FOLDER / "static"), static_url_path="/static")
    # Flask's own redirects for slashes name the host that the caller named.
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    app.jinja_environment = templating.Environment
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.jinja_loader = ChoiceLoader(
        [
            PackageLoader("espace_web"),
            PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")}),
        ]
    )
    http = http or httpx.Client(timeout=TIMEOUT, trust_env=False, follow_redirects=False)
    database = Database(
        settings.database_url, pool_size=settings.database_pool_size, application_name="web api"
    )
    vault = Vault(settings.session_keys)
    store = SessionStore(database, vault)
    client = oidc or OpenIdClient(settings, http)
    app.extensions["espace_web"] = House(
        settings=settings,
        database=database,
        vault=vault,
        store=store,
        oidc=client,
        tokens=TokenKeeper(store, client),
        remote=Remote(settings.service_urls, http),
        texts=Texts(FOLDER / "locale"),
        clock=LegalClock(settings.legal_clock_file, settings.environment),
    )
    probes.install(app)
    headers.install(app, settings)
    guard.install(app)
    templating.install(app)
    errors.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    probes.announce(app)
    return app
