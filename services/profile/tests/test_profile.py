"""Language, notices, who may see what, and the shape of the API."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData

from espace.config import SettingsError, load
from espace.db import kit_metadata
from espace.http import routes
from profile_service.settings import Settings
from profile_service.tables import metadata

OPENAPI = Path(__file__).parents[1] / "openapi.json"


def test_the_language_is_kept_and_told_to_who_writes(service: Any, citizen: UUID) -> None:
    for language in ("nl", "de", "en", "fr"):
        answer = service.call(citizen, "PUT", "/profile/language", {"language": language})
        assert answer.json["language"] == language
        assert service.internal(f"/citizens/{citizen}/contact").json["language"] == language
    refused = service.call(citizen, "PUT", "/profile/language", {"language": "it"})
    assert (refused.status_code, list(refused.json["errors"])) == (422, ["language"])


def test_notices_are_remembered_with_their_version(service: Any, citizen: UUID) -> None:
    seen = {"version": "2024-10", "hidden": True}
    assert service.call(citizen, "PUT", "/profile/notices/news", seen).json["notices"]["news"] == seen
    newer = {"version": "2024-11", "hidden": False}
    service.call(citizen, "PUT", "/profile/notices/news", newer)
    service.call(citizen, "PUT", "/profile/notices/cookies", {"version": "1", "hidden": True})
    assert service.profile(citizen)["notices"] == {
        "news": newer,
        "cookies": {"version": "1", "hidden": True},
        "data_protection": {"version": "", "hidden": False},
    }
    assert service.call(citizen, "PUT", "/profile/notices/other", seen).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"version": "1"},
        {"version": 1, "hidden": True},
        {"version": "", "hidden": True},
        {"version": "x" * 33, "hidden": True},
        {"version": "1", "hidden": "perhaps"},
        {"version": "1", "hidden": True, "citizen_id": str(uuid4())},
    ],
)
def test_a_notice_of_another_shape_is_refused(service: Any, citizen: UUID, body: Any) -> None:
    assert service.call(citizen, "PUT", "/profile/notices/news", body).status_code == 422


def test_one_citizen_never_sees_another(service: Any) -> None:
    nora, marc = uuid4(), uuid4()
    service.call(nora, "PUT", "/profile/email", {"email": "nora@courriel.example"})
    service.use(service.token(nora))
    assert service.profile(marc)["private_email"] is None
    assert "nora" not in json.dumps(service.profile(marc))


@pytest.mark.parametrize("field", ["citizen_id", "space", "private_email", "version"])
def test_a_field_of_ours_cannot_be_set(service: Any, citizen: UUID, field: str) -> None:
    body = {"email": "nora@courriel.example", field: "confirmed"}
    answer = service.call(citizen, "PUT", "/profile/email", body)
    assert (answer.status_code, answer.json["errors"]) == (422, {field: ["Unknown field."]})
    assert service.profile(citizen)["space"] == "none"


def test_who_may_call_what(service: Any) -> None:
    base = "/api/profile/v1"
    assert [route for route in routes(service.app) if route[2] != "inside"] == [
        ("GET", "/api/profile/openapi.json", "public"),
        ("GET", f"{base}/profile", "citizen"),
        ("GET", "/internal/v1/citizens/<uuid:citizen_id>/contact", "service"),
        ("GET", "/internal/v1/confirmations/<uuid:confirmation_id>", "service"),
        ("POST", f"{base}/email-confirmations", "public"),
        ("POST", f"{base}/profile/email/resend", "citizen"),
        ("PUT", f"{base}/profile/email", "citizen"),
        ("PUT", f"{base}/profile/language", "citizen"),
        ("PUT", f"{base}/profile/notices/<any(news, cookies, data_protection):notice>", "citizen"),
    ]


def test_the_openapi_document_is_the_one_in_the_repository(service: Any) -> None:
    document = service.app.test_client().get("/api/profile/openapi.json").json
    assert json.loads(OPENAPI.read_text("utf-8")) == document


def test_the_migrations_make_the_tables_that_the_code_has(service: Any) -> None:
    both = MetaData()
    for table in (*metadata.tables.values(), *kit_metadata.tables.values()):
        table.to_metadata(both)
    with service.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, both)
    assert [difference for difference in found if "alembic_version" not in str(difference)] == []


def test_a_key_that_could_be_guessed_is_refused() -> None:
    environment = {
        "ESPACE_DATABASE_URL": "postgresql+psycopg://x",
        "ESPACE_AMQP_URL": "amqp://x",
        "ESPACE_PUBLIC_URL": "http://localhost",
        "ESPACE_IDENTITY_URL": "http://localhost",
        "ESPACE_CLIENT_SECRET": "s",
        "ESPACE_CONFIRMATION_KEY": "short",
    }
    with pytest.raises(SettingsError, match="ESPACE_CONFIRMATION_KEY"):
        load(Settings, environment)


def test_the_worker_needs_no_flask() -> None:
    code = "import sys, profile_service.worker; assert 'flask' not in sys.modules"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
