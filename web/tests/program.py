"""The frontend as tests run it: real, with the services behind it played by the stand-in."""

from pathlib import Path

import httpx
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from espace.auth import StaticKeys
from espace_web.app import create_app
from espace_web.oidc import OpenIdClient
from espace_web.settings import WebSettings
from web.tests.fakes import Services

PUBLIC = "http://localhost:8080"


class _Compiled(BytecodeCache):
    """Templates are compiled once for all the applications of a run."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def build(database_url: str, public_url: str, clock_file: Path | None = None) -> tuple[Flask, Services]:
    """The application and the stand-in behind it."""
    services = Services(public_url)
    settings = WebSettings(
        database_url=database_url,
        public_url=public_url,
        identity_url="http://identity",
        client_secret="secret",
        environment="test",
        legal_clock_file=clock_file,
        session_key="a key for tests, longer than 32 characters",
        profile_url="http://profile",
        dossier_url="http://dossier",
        documents_url="http://documents",
        notifier_url="http://notifier",
        scheduler_url="http://scheduler",
        objects_url="http://objects",
        upstream_issuer="http://127.0.0.1:8081",
    )
    http = httpx.Client(transport=httpx.MockTransport(services))
    oidc = OpenIdClient(settings, http, StaticKeys(services.issuer.jwks))
    app = create_app(settings, oidc=oidc, http=http)
    app.config["TESTING"] = False
    app.jinja_env.bytecode_cache = _COMPILED
    return app, services
