"""What clients and killed processes leave behind."""

import hashlib
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from sqlalchemy import text

from documents_service.commands.sweep import remove_incoming, sweep_uploads
from documents_service.model.document import Document
from espace.objects import ObjectMissing
from espace.testing import until
from services.documents.tests import samples
from services.documents.tests.conftest import Service

PDF = samples.pdf()
PATIENCE_SECONDS = 120  # on a busy machine a program takes long to start


def row(service: Service, document_id: str) -> Document:
    with service.database.session() as session:
        return session.get_one(Document, uuid.UUID(document_id))


def age(service: Service, interval: str) -> None:
    """Let time pass for every row."""
    with service.database.transaction() as unit:
        unit.session.execute(
            text(
                "UPDATE documents SET created_at = created_at - cast(:i AS interval), "
                "expires_at = expires_at - cast(:i AS interval), "
                "sweep_due_at = sweep_due_at - cast(:i AS interval)"
            ),
            {"i": interval},
        )


def test_file_that_nobody_completed_is_verified(service: Service) -> None:
    document_id = service.upload(PDF)
    sweep_uploads(service.desk)
    assert row(service, document_id).state == "registered", "the client still has time"
    age(service, "3 minutes")
    sweep_uploads(service.desk)
    assert row(service, document_id).state == "verified"
    assert service.complete(document_id).status_code == 200, "the client comes back"


def test_wrong_file_that_nobody_completed_is_refused(service: Service) -> None:
    document_id = service.upload(b"MZ no pdf")
    age(service, "3 minutes")
    sweep_uploads(service.desk)
    assert row(service, document_id).refusal == "not_a_pdf"


def test_form_that_nobody_used_expires_only_after_its_time(service: Service) -> None:
    document_id = service.register(PDF).get_json()["document_id"]
    age(service, "31 minutes")
    sweep_uploads(service.desk)
    assert row(service, document_id).state == "registered", "a slow upload may still end"
    age(service, "15 minutes")
    sweep_uploads(service.desk)
    assert row(service, document_id).state == "expired"
    assert service.complete(document_id).get_json()["code"] == "upload_missing"


def test_store_away_leaves_the_row_for_later(service: Service) -> None:
    document_id = service.upload(PDF)
    age(service, "3 minutes")
    away = service.with_settings(objects_url="http://127.0.0.1:9")
    assert not sweep_uploads(away.desk)
    age(service, "3 minutes")
    sweep_uploads(service.desk)
    assert row(service, document_id).state == "verified"


@pytest.mark.parametrize("content", [PDF, b"MZ no pdf"], ids=["verified", "refused"])
def test_object_sent_again_with_the_old_form_is_removed_in_the_end(service: Service, content: bytes) -> None:
    document_id = service.upload(content)
    service.complete(document_id)
    service.desk.store.put(f"incoming/{document_id}", content, content_type="application/pdf")
    remove_incoming(service.desk)
    assert service.desk.store.stat(f"incoming/{document_id}").size, "the form can still be used"
    age(service, "46 minutes")
    remove_incoming(service.desk)
    with pytest.raises(ObjectMissing):
        service.desk.store.stat(f"incoming/{document_id}")
    assert row(service, document_id).incoming_removed_at is not None


def worker(service: Service, folder: Path, *loops: str) -> "subprocess.Popen[bytes]":
    """The real worker, in a process of its own."""
    settings = service.settings
    environment = {
        "ESPACE_DATABASE_URL": settings.database_url,
        "ESPACE_AMQP_URL": settings.amqp_url,
        "ESPACE_PUBLIC_URL": settings.public_url,
        "ESPACE_IDENTITY_URL": settings.identity_url,
        "ESPACE_CLIENT_SECRET": "unused",
        "ESPACE_ENVIRONMENT": "test",
        "ESPACE_OBJECTS_URL": settings.objects_url,
        "ESPACE_OBJECTS_ACCESS_KEY": settings.objects_access_key,
        "ESPACE_OBJECTS_SECRET_KEY": settings.objects_secret_key,
        "ESPACE_BUCKET": settings.bucket,
        "ESPACE_DOSSIER_URL": settings.dossier_url,
        "ESPACE_STATEMENT_KEY": settings.statement_key,
        "ESPACE_IDLE_SECONDS": "0.1",
        "ESPACE_CRASH_DIR": str(folder),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "documents_service", "worker", *loops],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
    )


@pytest.mark.parametrize(
    "point", [pytest.param("before_copy", marks=pytest.mark.long), "after_copy", "before_removal"]
)
@pytest.mark.asynchronous
def test_killed_while_verifying_loses_nothing_and_does_nothing_twice(
    service: Service, tmp_path: Path, point: str
) -> None:
    document_id = service.upload(PDF)
    age(service, "3 minutes")
    (tmp_path / f"documents.{point}").touch()
    killed = worker(service, tmp_path, "sweep")
    assert killed.wait(PATIENCE_SECONDS) == -signal.SIGKILL
    state = row(service, document_id).state
    assert state == ("verified" if point == "before_removal" else "registered")
    assert service.desk.store.stat(f"incoming/{document_id}").size == len(PDF), "the row comes first"
    age(service, "50 minutes")
    restarted = worker(service, tmp_path, "sweep", "remove")
    until("the upload is removed", lambda: row(service, document_id).incoming_removed_at is not None)
    restarted.terminate()
    assert restarted.wait(PATIENCE_SECONDS) == 0
    assert row(service, document_id).state == "verified"
    with pytest.raises(ObjectMissing):
        service.desk.store.stat(f"incoming/{document_id}")
    kept = b"".join(service.desk.store.stream(f"documents/{document_id}"))
    assert hashlib.sha256(kept).hexdigest() == row(service, document_id).sha256
    with service.database.session() as session:
        assert session.execute(text("SELECT count(*) FROM event_log")).scalar_one() == 1
    assert service.complete(document_id).status_code == 200
