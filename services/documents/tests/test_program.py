"""What the program is made of: its routes, its description, its schema, its worker."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData

from documents_service.settings import Settings
from documents_service.tables import metadata
from espace.auth.signing import Signer
from espace.config import SettingsError, load
from espace.db.tables import kit_metadata
from espace.http import routes
from services.documents.tests.conftest import Service

OPENAPI = Path(__file__).parents[1] / "openapi.json"


def test_who_may_call_what(service: Service) -> None:
    base = "/api/documents/v1"
    assert [route for route in routes(service.app) if route[2] != "inside"] == [
        ("GET", "/api/documents/openapi.json", "public"),
        ("GET", f"{base}/documents/<uuid:document_id>", "citizen"),
        ("GET", f"{base}/documents/<uuid:document_id>/download", "citizen"),
        ("GET", f"{base}/dossiers/<uuid:dossier_id>/declaration", "citizen"),
        ("GET", f"{base}/dossiers/<uuid:dossier_id>/receipt", "citizen"),
        ("POST", f"{base}/documents/<uuid:document_id>/completion", "citizen"),
        ("POST", f"{base}/uploads", "citizen"),
    ]


def test_the_openapi_document_is_the_one_in_the_repository(service: Service) -> None:
    document = service.http.get("/api/documents/openapi.json").get_json()
    assert json.loads(OPENAPI.read_text("utf-8")) == document


def test_the_migrations_make_the_tables_that_the_code_has(service: Service) -> None:
    both = MetaData()
    for table in (*metadata.tables.values(), *kit_metadata.tables.values()):
        table.to_metadata(both)
    with service.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = compare_metadata(context, both)
    assert [difference for difference in found if "alembic_version" not in str(difference)] == []


def test_published_keys_have_no_private_part(service: Service) -> None:
    (key,) = service.http.get("/internal/v1/statement-keys").get_json()["keys"]
    assert key["kty"] == "EC"
    assert "d" not in key


def test_older_key_is_published_and_the_first_signs(service: Service) -> None:
    old = service.settings.statement_key
    other = subprocess.run(
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    both = Signer(other + "\n" + old)
    assert len(both.jwks()["keys"]) == 2
    assert both.jwks()["keys"][1] == Signer(old).jwks()["keys"][0]


def test_key_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="P-256"):
        Signer("-----BEGIN NOTHING-----")


def test_missing_settings_are_all_named() -> None:
    with pytest.raises(SettingsError, match="ESPACE_STATEMENT_KEY") as refused:
        load(Settings, {})
    assert "ESPACE_OBJECTS_URL" in str(refused.value)


def test_worker_imports_no_flask() -> None:
    code = "import sys, documents_service.worker; sys.exit('flask' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"clamd_address": "clamd"}, "ESPACE_CLAMD_ADDRESS"),
        ({"clamd_address": "clamd:many"}, "ESPACE_CLAMD_ADDRESS"),
        ({"statement_key": "no key"}, "ESPACE_STATEMENT_KEY"),
        (
            {"statement_key": "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"},
            "ESPACE_STATEMENT_KEY",
        ),
    ],
)
def test_settings_that_cannot_work_fail_at_the_start(
    service: Service, changed: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingsError, match=named):
        replace(service.settings, **changed)
