"""What every API holds: it is described as it is, and a request may be repeated."""

import json

import pytest

from espace.http import routes
from tests.contracts import apis

DOCUMENTS = "/api/documents/v1"
UNKEYED = {
    ("identity", "/identity/authorize"): "OpenID Connect: each request starts a login of its own",
    ("identity", "/identity/login"): "a browser's form: sent on to the source, the last choice counts",
    ("identity", "/identity/logout"): "what is ended stays ended",
    ("identity", "/identity/token"): "OAuth; a code or refresh token works once, and its reuse is an alarm",
    ("identity", "/identity/userinfo"): "only reads",
    ("profile", "/api/profile/v1/email-confirmations"): "what is confirmed stays so; the answer says which",
    ("documents", f"{DOCUMENTS}/documents/<uuid:document_id>/completion"): "decides once, repeats its answer",
}
"""POSTs without ``Idempotency-Key``, and why a repeat does no harm."""

UNDESCRIBED = {
    ("GET", "/identity/authorize"),
    ("POST", "/identity/authorize"),
    ("GET", "/identity/callback"),
    ("GET", "/identity/login"),
    ("POST", "/identity/login"),
    ("GET", "/identity/logout"),
    ("POST", "/identity/logout"),
    ("GET", "/identity/static/<path:filename>"),
}
"""Pages for a browser; OpenID Connect's discovery names those that clients send it to."""

each = pytest.mark.parametrize("service", apis.FOLDERS)


@each
def test_the_description_kept_is_the_one_served(service: str) -> None:
    kept = json.loads((apis.SERVICES / apis.FOLDERS[service] / "openapi.json").read_text("utf-8"))
    assert kept == apis.description(service), f"write the output of {service}'s command openapi there"


@each
def test_every_route_is_described_with_the_token_it_asks_for(service: str) -> None:
    described = apis.operations(service)
    own = {
        (method, rule): auth
        for method, rule, auth in routes(apis.app(service))
        if not rule.endswith("/openapi.json") and rule not in ("/livez", "/readyz", "/metrics")
    }
    assert own.keys() - described.keys() == own.keys() & UNDESCRIBED
    for operation, found in described.items():
        wanted: list[dict[str, list[str]]] = (
            [{own[operation]: []}] if own[operation] in ("citizen", "service") else []
        )
        if operation[1] != "/identity/userinfo":  # OAuth's own check of the token
            assert found["security"] == wanted, operation
        assert found["summary"], operation
        assert any("200" <= status < "300" for status in found["responses"]), operation


def test_every_post_has_an_idempotency_key_or_a_reason_to_have_none() -> None:
    without = {
        (service, rule)
        for service in apis.FOLDERS
        for method, rule, _ in routes(apis.app(service))
        if method == "POST"
        and "Idempotency-Key" not in apis.headers(apis.operations(service).get((method, rule), {}))
    }
    assert without == UNKEYED.keys()


@each
def test_every_edit_of_what_somebody_saw_asks_for_its_version(service: str) -> None:
    """A PUT is no such edit: it says the whole of one setting."""
    for (method, rule), operation in apis.operations(service).items():
        assert ("If-Match" in apis.headers(operation)) == (method in ("PATCH", "DELETE")), (method, rule)
