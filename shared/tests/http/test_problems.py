"""Every refusal is a problem with a stable code; nothing of the inside comes out."""

import json
from typing import Any

import psycopg
import pytest
from flask import Blueprint as FlaskBlueprint
from sqlalchemy.exc import DBAPIError, OperationalError

from espace.http import Blueprint, create_app, routes
from espace.http.access import UndeclaredRouteError
from espace.http.problems import Problem, flatten, pointer

THINGS = "/api/kit/v1/things"


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The problem of an answer, after what is true of each."""
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json["status"] == status
    assert answer.json["type"] == f"urn:espace:problem:{code}"
    assert answer.json["instance"] == f"urn:espace:request:{answer.headers['X-Request-Id']}"
    assert answer.json["title"]
    assert answer.json["detail"]
    data: dict[str, Any] = answer.json
    return data


def post(api: Any, body: Any = None, **options: Any) -> Any:
    if body is not None:
        options["json"] = body
    headers = api.headers(Idempotency_Key="k-" + str(id(options)))
    return api.client.post(THINGS, headers={**headers, **options.pop("headers", {})}, **options)


def test_unknown_address(api: Any) -> None:
    problem(api.client.get("/nowhere"), 404, "not_found")


def test_wrong_method_tells_the_right_ones(api: Any) -> None:
    answer = api.client.delete(THINGS)
    problem(answer, 405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


def test_malformed_json(api: Any) -> None:
    answer = post(api, data=b'{"name": ', headers={"Content-Type": "application/json"})
    problem(answer, 400, "malformed_json")


def test_another_kind_of_body(api: Any) -> None:
    answer = post(api, data=b"name=x", headers={"Content-Type": "application/x-www-form-urlencoded"})
    problem(answer, 415, "unsupported_media_type")


def test_too_large_a_body(api: Any) -> None:
    problem(post(api, {"name": "x" * 1_100_000}), 413, "body_too_large")


def test_every_wrong_field_at_once_with_its_place(api: Any) -> None:
    answer = post(
        api, {"size": "big", "owner_id": "me", "parts": [{"length": 1}, {"length": "long", "due_at": 1}]}
    )
    data = problem(answer, 422, "validation_failed")
    assert data["errors"] == {
        "name": ["Missing data for required field."],
        "size": ["Not a valid integer."],
        "owner_id": ["Unknown field."],
        "parts.1.length": ["Not a valid integer."],
        "parts.1.due_at": ["Unknown field."],
    }
    assert {
        "in": "json",
        "pointer": "#/parts/1/length",
        "detail": "Not a valid integer.",
    } in data["violations"]
    assert api.hooks.calls == 0


@pytest.mark.parametrize("extra", ["status", "owner_id", "citizen_id", "due_at", "id", "version"])
def test_mass_assignment_is_refused(api: Any, extra: str) -> None:
    data = problem(post(api, {"name": "x", extra: "mine"}), 422, "validation_failed")
    assert data["errors"] == {extra: ["Unknown field."]}


def test_unknown_query_is_refused(api: Any) -> None:
    answer = api.client.get(THINGS + "?sort=name;drop", headers=api.headers())
    assert problem(answer, 422, "validation_failed")["errors"] == {"sort": ["Unknown field."]}


@pytest.mark.parametrize("text", ["\x00", "a\ud800b"])
def test_characters_that_cannot_be_stored_are_refused_at_their_field(api: Any, text: str) -> None:
    body = json.dumps({"name": text})
    data = problem(
        post(api, data=body, headers={"Content-Type": "application/json"}), 422, "validation_failed"
    )
    assert list(data["errors"]) == ["name"]
    query = api.client.get(THINGS + "?q=%00", headers=api.headers())
    assert list(problem(query, 422, "validation_failed")["errors"]) == ["q.0"]


def test_a_body_of_another_shape(api: Any) -> None:
    bodies: tuple[Any, ...] = ([], "text", 7)
    for body in bodies:
        problem(post(api, body), 422, "validation_failed")


def test_a_number_too_large_for_its_column(api: Any) -> None:
    answer = api.client.patch(f"{THINGS}/1", json={"size": 2**40}, headers=api.headers(If_Match='"1"'))
    problem(answer, 422, "value_out_of_range")


def test_a_problem_of_the_service_itself(api: Any) -> None:
    data = problem(api.client.get("/api/kit/v1/open/problem"), 409, "too_late")
    assert data["errors"] == {"day": ["It is over."]}
    assert data["day"] == "2024-10-21"


def test_something_away_is_503_and_says_when_to_come_again(api: Any) -> None:
    answer = api.client.get("/api/kit/v1/open/away")
    problem(answer, 503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "2"


def test_the_database_away_is_503(api: Any) -> None:
    def away() -> None:
        raise OperationalError("SELECT 1", {}, psycopg.OperationalError("gone"))

    api.hooks.in_view = away
    problem(api.client.get(THINGS, headers=api.headers()), 503, "temporarily_unavailable")


def test_a_fault_of_ours_tells_its_request_and_nothing_else(
    api: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise DBAPIError("SELECT secret FROM things", {"nrn": "85.07.30-033.28"}, Exception("pg 18.6"))

    api.hooks.in_view = fail
    answer = api.client.get(THINGS, headers={**api.headers(), "X-Request-Id": "request-0001"})
    problem(answer, 500, "internal_error")
    assert answer.headers["X-Request-Id"] == "request-0001"
    for inside in ("secret", "pg 18", "85.07", "Traceback", "sqlalchemy"):
        assert inside not in answer.text


def test_if_match(api: Any) -> None:
    def patch(**headers: str) -> Any:
        return api.client.patch(f"{THINGS}/3", json={"size": 1}, headers=api.headers(**headers))

    problem(patch(), 428, "precondition_required")
    answer = patch(If_Match='"2"')
    problem(answer, 412, "version_mismatch")
    assert answer.headers["ETag"] == '"3"'
    assert patch(If_Match='"3"').status_code == 200
    assert patch(If_Match='"2", "3"').status_code == 200
    problem(patch(If_Match='W/"3"'), 412, "version_mismatch")


@pytest.mark.parametrize("sent", ["", "short", "a b c d e f g h", "x" * 200, "<script>alert(1)</script>"])
def test_a_request_id_that_is_not_safe_is_replaced(api: Any, sent: str) -> None:
    answer = api.client.get("/livez", headers={"X-Request-Id": sent})
    assert answer.headers["X-Request-Id"] != sent
    assert len(answer.headers["X-Request-Id"]) == 32


def test_every_answer_has_the_headers(api: Any) -> None:
    for path in ("/livez", "/nowhere", THINGS, "/api/kit/v1/open/problem", "/api/kit/openapi.json"):
        headers = api.client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in headers


def test_a_route_without_declared_access_does_not_start(api: Any, settings: Any) -> None:
    forgotten = FlaskBlueprint("forgotten", __name__)
    forgotten.add_url_rule("/api/kit/v1/forgotten", "forgotten", lambda: "secret")
    with pytest.raises(UndeclaredRouteError, match="/api/kit/v1/forgotten"):
        create_app("kit", settings, api.database, [forgotten], title="Kit")  # type: ignore[list-item]


def test_a_route_added_later_is_closed(api: Any) -> None:
    api.app.add_url_rule("/later", "later", lambda: "secret")
    answer = api.client.get("/later", headers=api.headers())
    problem(answer, 500, "internal_error")
    assert "secret" not in answer.text


def test_every_route_has_its_access_and_keeps_it(api: Any) -> None:
    found = routes(api.app)
    assert ("POST", THINGS, "citizen") in found
    assert ("GET", "/internal/v1/whoami", "service") in found
    for method, rule, auth in found:
        path = rule.replace("<int:thing>", "1")
        answer = api.client.open(path, method=method)
        assert (answer.status_code == 401) == (auth in ("citizen", "service")), (method, rule)


def test_the_openapi_document_is_public_and_complete(api: Any) -> None:
    document = api.client.get("/api/kit/openapi.json").json
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {
        THINGS,
        f"{THINGS}/{{thing}}",
        "/api/kit/v1/open/",
        "/api/kit/v1/open/problem",
        "/api/kit/v1/open/away",
        "/internal/v1/whoami",
    }
    operation = document["paths"][THINGS]["post"]
    assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}
    assert operation["responses"]["default"] == {"$ref": "#/components/responses/DEFAULT_ERROR"}
    error = document["components"]["responses"]["DEFAULT_ERROR"]["content"]
    assert set(error) == {"application/problem+json"}
    invalid = document["components"]["responses"]["UNPROCESSABLE_ENTITY"]["content"]
    assert set(invalid) == {"application/problem+json"}
    assert document["components"]["schemas"]["Thing"]["additionalProperties"] is False


def test_the_openapi_document_says_what_each_operation_asks_for(api: Any) -> None:
    document = api.client.get("/api/kit/openapi.json").json
    operations = {
        path: operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", "patch")
    }
    assert operations[THINGS]["security"] == [{"citizen": []}]
    assert operations["/internal/v1/whoami"]["security"] == [{"service": []}]
    assert operations["/api/kit/v1/open/"]["security"] == []
    assert set(document["components"]["securitySchemes"]) == {"citizen", "service"}
    assert {tag["name"]: tag["description"] for tag in document["tags"]}["inside"]
    (wanted,) = [p for p in operations[f"{THINGS}/{{thing}}"]["parameters"] if p["in"] == "header"]
    assert (wanted["name"], wanted["required"]) == ("If-Match", True)


def test_a_version_is_not_compared_where_clients_are_not_told(api: Any) -> None:
    problem(api.client.put(THINGS, headers=api.headers(If_Match='"1"')), 500, "internal_error")


def test_probes_and_metrics(api: Any) -> None:
    assert api.client.get("/livez").json == {"status": "alive"}
    assert api.client.get("/readyz").json == {"status": "ready"}
    api.client.get(THINGS, headers=api.headers())
    text = api.client.get("/metrics").text
    assert 'http_server_request_duration_seconds_count{method="GET",route="/api/kit/v1/things"' in text
    assert "espace_db_pool_in_use 0.0" in text
    assert 'espace_build_info{role="api",service="kit"' in text


def test_not_ready_without_the_database(api: Any, settings: Any) -> None:
    from espace.db import Database

    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    app = create_app("kit", settings, nowhere, [], title="Kit")
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"status": "not ready", "reason": "OperationalError"})


def test_not_ready_before_the_migration(api: Any) -> None:
    from deadline_scheduler_service.settings import Settings

    settings = Settings(
        **dict.fromkeys(("database_url", "amqp_url", "public_url", "identity_url"), "http://x"),
        client_secret="x",
    )
    app = create_app("kit", settings, api.database, [], title="Kit")
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["reason"].startswith("migrate first: the schema is at nothing")


def test_flatten_and_pointer() -> None:
    assert flatten({"a": {0: {"b": ["x", "y"]}}, "_schema": ["z"]}) == [
        (("a", "0", "b"), "x"),
        (("a", "0", "b"), "y"),
        ((), "z"),
    ]
    assert pointer(("a/b", "~c", "0")) == "#/a~1b/~0c/0"


def test_a_problem_survives_the_way_between_services() -> None:
    sent = Problem(422, "file_empty", "It is empty.", errors={"file": ["Empty."]}, max_bytes=3)
    got = Problem.from_dict(422, sent.as_dict())
    assert got.as_dict() == sent.as_dict()


def test_a_blueprint_names_its_access() -> None:
    with pytest.raises(TypeError):
        Blueprint("x", __name__, service="kit")  # type: ignore[call-arg]
