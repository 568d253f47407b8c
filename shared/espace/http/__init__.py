"""The API side of a service: its app, its routes' authentication, its problems, its transactions.

Names are loaded when they are asked for: workers use :mod:`espace.http.client` and
:class:`~espace.http.problems.Problem` and import no Flask.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from espace.http.access import bearer, principal, routes
    from espace.http.app import create_app
    from espace.http.blueprint import Blueprint
    from espace.http.client import ServiceClient
    from espace.http.idempotency import idempotent
    from espace.http.matching import conditional, etag, require_match
    from espace.http.problems import Problem
    from espace.http.schema import Schema
    from espace.http.transactions import database, transaction

__all__ = [
    "Blueprint",
    "Problem",
    "Schema",
    "ServiceClient",
    "bearer",
    "conditional",
    "create_app",
    "database",
    "etag",
    "idempotent",
    "principal",
    "require_match",
    "routes",
    "transaction",
]
_HOMES = {
    "Blueprint": "blueprint",
    "Problem": "problems",
    "Schema": "schema",
    "ServiceClient": "client",
    "bearer": "access",
    "conditional": "matching",
    "create_app": "app",
    "database": "transactions",
    "etag": "matching",
    "idempotent": "idempotency",
    "principal": "access",
    "require_match": "matching",
    "routes": "access",
    "transaction": "transactions",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
