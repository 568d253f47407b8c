"""Pages that say how things are: accessibility, privacy, cookies, and the documentation of the APIs."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, jsonify, redirect, request
from werkzeug.wrappers import Response

from espace_web.context import house, page, public
from espace_web.errors import gateway_page, problem
from espace_web.reference import describe
from espace_web.remote import ServiceDown

views = Blueprint("pages", __name__)


@views.get("/favicon.ico")
@public
def icon() -> Response:
    """For pages of the same origin that name no icon, and for browsers that ask on their own."""
    return redirect("/static/icon.svg", 308)


@views.get("/erreur/<any('403', '404', '413', '429', '502', '504'):status>")
@public
def gateway_error(status: str) -> Response:
    """What the gateway shows instead of its own plain words: a page, or a problem for a program."""
    return problem(int(status)) if request.args.get("forme") == "api" else gateway_page(int(status))


@views.get("/accessibilite")
@public
def accessibility() -> Response:
    """How accessible this is."""
    return page("pages/accessibility.html")


@views.get("/vie-privee")
@public
def privacy() -> Response:
    """What becomes of personal data."""
    return page("pages/privacy.html")


@views.get("/cookies")
@public
def cookies() -> Response:
    """Which cookies there are."""
    return page("pages/cookies.html")


@views.get("/api/")
@public
def api_documentation() -> Response:
    """One page for the APIs of all services, from what they publish themselves."""
    documents: list[tuple[str, dict[str, object] | None]] = []
    for service in house().settings.service_urls:
        try:
            documents.append((service, describe(_published(service))))
        except ServiceDown:
            documents.append((service, None))
    return page("pages/api.html", documents=documents, public_url=house().settings.public_url)


@views.get("/api/<any('identity', 'scheduler'):service>/openapi.json")
@public
def api_description(service: str) -> Response:
    """The description of a service that has no routes of its own below ``/api`` behind the gateway."""
    return jsonify(_published(service))


def _published(service: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = house().remote.fetch(service, f"/api/{service}/openapi.json")
    return found
