"""The APIs of the six services, built as in production. They are asked for their routes and descriptions
alone, so no server stands behind the addresses.
"""

import importlib
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask

from espace.config import load
from espace_stack.keys import base64_key, ec_pem, rsa_pem
from espace_stack.settings import CLIENTS

SERVICES = Path(__file__).parents[2] / "services"
FOLDERS: Mapping[str, str] = {
    "identity": "identity",
    "profile": "profile",
    "dossier": "dossier",
    "documents": "documents",
    "notifier": "notifier",
    "scheduler": "deadline-scheduler",
}
"""Short name → folder."""
_URLS = ("AMQP", "PUBLIC", "IDENTITY", "PROFILE", "DOSSIER", "DOCUMENTS", "OBJECTS", "REGISTER")
_WORDS = (
    *("CLIENT_SECRET", "CONFIRMATION_KEY", "OBJECTS_ACCESS_KEY", "OBJECTS_SECRET_KEY", "REGISTER_SECRET"),
    *("SMTP_HOST", "UPSTREAM_ISSUER", "UPSTREAM_CLIENT_ID", "UPSTREAM_CLIENT_SECRET"),
)


@cache
def _environment() -> Mapping[str, str]:
    return {
        "ESPACE_ENVIRONMENT": "test",
        "ESPACE_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none",
        **{f"ESPACE_{name}_URL": "http://localhost" for name in _URLS},
        **{f"ESPACE_{name}": "x" * 32 for name in _WORDS},
        "ESPACE_CLIENTS_FILE": str(CLIENTS),
        "ESPACE_NATIONAL_NUMBER_KEY": base64_key(),
        "ESPACE_SIGNING_KEYS": rsa_pem(),
        "ESPACE_STATEMENT_KEY": ec_pem(),
        "ESPACE_EVENT_KEY": ec_pem(),
    }


@cache
def app(service: str) -> Flask:
    """The API of a service."""
    package = FOLDERS[service].replace("-", "_") + "_service"
    settings = importlib.import_module(f"{package}.settings").Settings
    made: Flask = importlib.import_module(f"{package}.app").create_app(load(settings, _environment()))
    return made


@cache
def description(service: str) -> dict[str, Any]:
    """The OpenAPI document that a service publishes."""
    answer = app(service).test_client().get(f"/api/{service}/openapi.json")
    document: dict[str, Any] = answer.get_json()
    return document


def operations(service: str) -> dict[tuple[str, str], dict[str, Any]]:
    """(METHOD, path as Flask writes it) → the operation that the document describes."""
    rules = {_in_openapi(rule.rule): rule.rule for rule in app(service).url_map.iter_rules()}
    return {
        (method.upper(), rules[path]): operation
        for path, item in description(service)["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }


def headers(operation: Mapping[str, Any]) -> set[str]:
    """The headers that an operation asks for."""
    return {
        parameter["name"]
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "header" and parameter["required"]
    }


def _in_openapi(rule: str) -> str:
    return re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", rule)
