"""The security checks that need the whole platform: who may do what, and what never happens."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx

from espace.auth import tls
from espace_stack.testing.platform import Platform
from tests.e2e.app import App, expect
from tests.e2e.claims import COMPLETE, PROCEDURE, WITH_DRC, ready_claim
from tests.e2e.conftest import NewApp

SERVICES = ("profile", "dossier", "documents", "notifier")
UNKNOWN = "00000000-0000-4000-8000-00000000dead"
ADMIN_ONLY = {"instance", "request_id"}


def operations(public_url: str) -> Iterator[tuple[str, str, str]]:
    """(service, method, path template) of every documented operation behind the gateway."""
    for service in SERVICES:
        document = httpx.get(f"{public_url}/api/{service}/openapi.json").raise_for_status().json()
        assert document["openapi"].startswith("3.1")
        assert document["paths"]
        for path, methods in document["paths"].items():
            if path.startswith("/internal/"):
                continue  # for the other services; absent from the gateway, see below
            for method in methods.keys() & {"get", "put", "post", "patch", "delete"}:
                yield service, method, path


def filled(path: str, **ids: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda m: ids.get(m[1], "news" if m[1] == "notice" else UNKNOWN), path)


def call(app: App | None, public_url: str, method: str, path: str, body: Any = None) -> httpx.Response:
    headers = {"If-Match": '"1"'}
    if method == "post":
        headers["Idempotency-Key"] = str(uuid4())
    if app is not None:
        headers["Authorization"] = f"Bearer {app.tokens['access_token']}"
    has_body = method in ("post", "put", "patch")
    return httpx.request(
        method,
        public_url + path,
        headers=headers,
        json=(body or {}) if has_body else None,
        timeout=30,
        verify=tls.context(public_url),
    )


def test_another_citizens_things_are_the_same_as_unknown_ones(platform: Platform, new_app: NewApp) -> None:
    owner, stranger = new_app(), new_app()
    receipt = expect(owner.submit(ready_claim(owner, WITH_DRC)), 201)
    dossier = owner.dossier(receipt["dossier_id"])
    ids = {
        "dossier_id": dossier["id"],
        "document_id": dossier["attachments"][0]["document_id"],
        "request_id": dossier["information_requests"][0]["id"],
    }
    compared = 0
    for _, method, path in operations(platform.public_url):
        names = set(re.findall(r"\{(\w+)\}", path))
        if not names or not names <= ids.keys():
            continue
        theirs = call(stranger, platform.public_url, method, filled(path, **ids), BODIES.get(_tail(path)))
        unknown = call(stranger, platform.public_url, method, filled(path), BODIES.get(_tail(path)))
        refusals = (422,) if path.endswith("/attachments") else (404,)  # a forged statement is no statement
        assert theirs.status_code in refusals, (method, path, theirs.text)
        assert theirs.status_code == unknown.status_code, (method, path, theirs.text, unknown.text)
        assert _comparable(theirs, ids) == _comparable(unknown, ids), (method, path)
        compared += 1
    assert compared >= 10
    assert dossier["id"] not in [item["id"] for item in stranger.get("dossier/v1/dossiers")["items"]]
    own = owner.get(f"notifier/v1/notifications?dossier_id={dossier['id']}")
    assert own
    assert not stranger.get(f"notifier/v1/notifications?dossier_id={dossier['id']}")


BODIES: dict[str, Any] = {
    "values": {"values": {"phone": "+32 470 00 00 00"}},
    "attachments": {"slot": "reclamation", "statement": "x.y.z"},
    "submission": {"content_sha256": "0" * 64},
    "answer": {"content_sha256": "0" * 64},
}


def test_fields_that_are_not_offered_are_refused(new_app: NewApp) -> None:
    app = new_app()
    dossier = expect(app.call("POST", "dossier/v1/dossiers", {"procedure": PROCEDURE}), 201)
    path = f"dossier/v1/dossiers/{dossier['id']}"
    for extra in ("status", "state", "owner_id", "citizen_id", "due_at", "number", "received_at"):
        body = {"procedure": PROCEDURE, extra: "x"}
        assert app.call("POST", "dossier/v1/dossiers", body).status_code == 422, extra
        values = {"values": {"phone": "+32 470 00 00 00"}, extra: "x"}
        assert app.call("PATCH", f"{path}/values", values, match=dossier["version"]).status_code == 422
        inner = {"values": {extra: "x"}}
        assert app.call("PATCH", f"{path}/values", inner, match=dossier["version"]).status_code == 422
    prefilled = {"values": {"family_name": "Autre"}}
    assert app.call("PATCH", f"{path}/values", prefilled, match=dossier["version"]).status_code == 422
    assert app.dossier(dossier["id"])["version"] == dossier["version"]


def test_steps_cannot_be_skipped_or_done_twice(new_app: NewApp) -> None:
    app = new_app()
    dossier = expect(app.call("POST", "dossier/v1/dossiers", {"procedure": PROCEDURE}), 201)
    path = f"dossier/v1/dossiers/{dossier['id']}"
    early = app.call("POST", f"{path}/submission", {"content_sha256": "0" * 64})
    assert expect(early, 409)["code"] == "not_validated"
    expect(app.call("PATCH", f"{path}/values", {"values": COMPLETE}, match=dossier["version"]), 200)
    validated = expect(app.call("POST", f"{path}/validation", {}), 200)
    assert expect(app.submit(validated), 422)["code"] == "attachments_missing"
    ready = app.attach(dossier["id"])
    expect(app.submit(ready), 201)
    assert expect(app.submit(ready), 409)["code"] == "already_submitted"
    edited = app.call("PATCH", f"{path}/values", {"values": {"phone": ""}}, match=ready["version"] + 1)
    assert edited.status_code in (409, 412)


def test_forged_tokens_are_refused_by_every_service(platform: Platform, new_app: NewApp) -> None:
    app = new_app(space=False)
    header, payload, signature = app.tokens["access_token"].split(".")
    none = _b64({"alg": "none", "typ": "at+jwt"})
    forged = {
        "alg none": f"{none}.{payload}.",
        "cut signature": f"{header}.{payload}.{signature[:-8]}",
        "other subject": f"{header}.{_b64(app.claims() | {'sub': UNKNOWN})}.{signature}",
        "id token": app.tokens["id_token"],
        "refresh token": app.tokens["refresh_token"],
        "rubbish": "x",
    }
    paths = {
        "profile": "profile/v1/profile",
        "dossier": "dossier/v1/dossiers",
        "documents": f"documents/v1/documents/{UNKNOWN}",
        "notifier": f"notifier/v1/notifications?dossier_id={UNKNOWN}",
    }
    for service in SERVICES:
        for what, token in forged.items():
            answer = httpx.get(
                f"{platform.public_url}/api/{paths[service]}",
                headers={"Authorization": f"Bearer {token}"},
                verify=tls.context(platform.public_url),
            )
            assert answer.status_code == 401, (service, what)


def test_a_used_refresh_token_ends_the_whole_family(platform: Platform, new_app: NewApp) -> None:
    app = new_app(space=False)
    stolen = app.tokens["refresh_token"]
    app.refresh()
    reuse = {"grant_type": "refresh_token", "refresh_token": stolen, "client_id": "demo-app"}
    assert httpx.post(f"{platform.public_url}/identity/token", data=reuse).status_code == 400
    fresh = reuse | {"refresh_token": app.tokens["refresh_token"]}
    assert httpx.post(f"{platform.public_url}/identity/token", data=fresh).status_code == 400


def test_a_body_that_is_too_large_is_a_problem_that_says_so(new_app: NewApp) -> None:
    app = new_app(space=False)
    answer = app.call("POST", "dossier/v1/dossiers", {"procedure": "x" * 1_100_000})
    assert expect(answer, 413)["code"] == "body_too_large"
    assert answer.headers["content-type"] == "application/problem+json"


def _b64(claims: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


def _tail(path: str) -> str:
    return path.rsplit("/", 1)[1]


def _comparable(answer: httpx.Response, ids: dict[str, str]) -> dict[str, Any]:
    text = answer.text
    for value in ids.values():
        text = text.replace(value, UNKNOWN)
    return {name: value for name, value in json.loads(text).items() if name not in ADMIN_ONLY}
