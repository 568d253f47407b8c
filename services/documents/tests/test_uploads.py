"""Uploads: what is taken, what is refused and how it is said."""

import hashlib
import json
import socket
import socketserver
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from joserfc import jws
from joserfc.jwk import KeySet
from jsonschema import validate
from sqlalchemy import text

from documents_service import pdf_check
from documents_service.commands.sweep import remove_incoming
from documents_service.model.document import Document
from espace.contracts import schemas
from espace.objects import ObjectMissing
from services.documents.tests import samples
from services.documents.tests.conftest import Service, send

PDF = samples.pdf()


def row(service: Service, document_id: str) -> Document:
    with service.database.session() as session:
        return session.get_one(Document, uuid.UUID(document_id))


def test_good_pdf_is_verified_and_vouched_for(service: Service) -> None:
    document_id = service.upload(PDF)
    answer = service.complete(document_id)
    assert answer.status_code == 200, answer.text
    document = answer.get_json()["document"]
    assert document["scan"] == "not_scanned"
    assert document["content_type"] == "application/pdf"
    keys = KeySet.import_key_set(service.http.get("/internal/v1/statement-keys").get_json())
    statement = jws.deserialize_compact(answer.get_json()["statement"], keys, algorithms=["ES256"])
    assert statement.headers()["typ"] == "statement+jwt"
    claims = json.loads(statement.payload)
    claims.pop("iat")
    assert claims == {
        "iss": "documents",
        "sub": document_id,
        "owner": str(service.citizen),
        "dossier_id": str(service.dossier),
        "slot": "reclamation",
        "filename": "réclamation.pdf",
        "content_type": "application/pdf",
        "size": len(PDF),
        "sha256": hashlib.sha256(PDF).hexdigest(),
    }
    with pytest.raises(ObjectMissing):
        service.desk.store.stat(f"incoming/{document_id}")
    assert b"".join(service.desk.store.stream(f"documents/{document_id}")) == PDF


def test_unscanned_document_is_announced_as_such_by_the_contract(service: Service) -> None:
    service.complete(service.upload(PDF))
    with service.database.session() as session:
        (event,) = session.execute(text("SELECT type, data FROM event_log")).all()
    assert event.data["outcome"] == "not_scanned"
    validate(event.data, schemas()[event.type])


def test_completed_twice_gives_the_same_answer(service: Service) -> None:
    document_id = service.upload(PDF)
    first, second = service.complete(document_id), service.complete(document_id)
    assert first.get_json() == second.get_json()
    with service.database.session() as session:
        assert session.execute(text("SELECT count(*) FROM event_log")).scalar_one() == 1


def test_registering_again_with_the_same_key_gives_the_same_form(service: Service) -> None:
    headers = service.headers()
    body = {
        "filename": "a.pdf",
        "size": len(PDF),
        "sha256": hashlib.sha256(PDF).hexdigest(),
        "slot": "reclamation",
        "dossier_id": str(service.dossier),
    }
    first = service.http.post("/api/documents/v1/uploads", json=body, headers=headers)
    second = service.http.post("/api/documents/v1/uploads", json=body, headers=headers)
    assert first.status_code == 201
    assert first.get_json() == second.get_json()
    assert second.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"size": 0}, "file_empty"),
        ({"size": 20 * 1024 * 1024 + 1}, "file_too_large"),
        ({"size": -1}, "validation_failed"),
        ({"sha256": "xyz"}, "validation_failed"),
        ({"slot": "../x"}, "validation_failed"),
        ({"filename": ""}, "validation_failed"),
        ({"filename": "a\0b.pdf"}, None),
        ({"unknown": 1}, "validation_failed"),
    ],
)
def test_announcement_that_cannot_be_is_refused_at_once(
    service: Service, changed: dict[str, Any], code: str | None
) -> None:
    answer = service.register(PDF, **changed)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert code is None or answer.get_json()["code"] == code


def test_largest_size_is_taken(service: Service) -> None:
    assert service.register(PDF, size=20 * 1024 * 1024).status_code == 201


def test_message_is_in_the_callers_language(service: Service) -> None:
    answers = [
        service.http.post(
            f"/api/documents/v1/uploads?language={language}",
            json={
                "filename": "a",
                "size": 0,
                "sha256": "0" * 64,
                "slot": "autres",
                "dossier_id": str(service.dossier),
            },
            headers=service.headers(),
        ).get_json()
        for language in ("fr", "nl", "de", "en")
    ]
    assert answers[0]["detail"].startswith("Le fichier est vide")
    assert len({answer["detail"] for answer in answers}) == 4
    assert answers[0]["errors"] == {"file": [answers[0]["detail"]]}


@pytest.mark.parametrize(
    ("sent", "answer"),
    [(PDF + b"x", "EntityTooLarge"), (b"", "EntityTooSmall"), (b"%" + b"?" * (len(PDF) - 1), "BadDigest")],
    ids=["one byte too many", "empty", "other bytes"],
)
def test_store_refuses_other_bytes_and_the_form_stays_good(
    service: Service, sent: bytes, answer: str
) -> None:
    registered = service.register(PDF).get_json()
    refused = send(registered["form"], sent)
    assert refused.status_code == 400
    assert answer in refused.text
    missing = service.complete(registered["document_id"])
    assert (missing.status_code, missing.get_json()["code"]) == (422, "upload_missing")
    assert send(registered["form"], PDF).status_code == 204
    assert service.complete(registered["document_id"]).status_code == 200


def test_form_is_good_for_one_key_only(service: Service) -> None:
    registered = service.register(PDF).get_json()
    assert send(registered["form"], PDF, key=f"documents/{registered['document_id']}").status_code == 403
    assert send(registered["form"], PDF, **{"Content-Type": "text/html"}).status_code == 403


ENCRYPTED = samples.encrypted_pdf()


@pytest.mark.parametrize(
    ("content", "changed", "code"),
    [
        (b"MZ\x90\0 this is a program", {}, "not_a_pdf"),
        (b"MZ\x90\0 this is a program", {"content_type": "application/x-msdownload"}, "type_not_allowed"),
        (b"<html><script>alert(1)</script>" + PDF, {}, "not_a_pdf"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", {"content_type": "image/svg+xml"}, "type_not_allowed"),
        (PDF + b"<html><script>alert(1)</script>", {}, "pdf_unreadable"),
        (ENCRYPTED, {}, "pdf_encrypted"),
        (samples.encrypted_pdf(user=""), {}, "pdf_encrypted"),
        (b"%PDF-1.7\nnothing of the kind\n%%EOF\n", {}, "pdf_unreadable"),
        (b"%PDF-1.7\n", {}, "pdf_unreadable"),
        (samples.png(30_000, 30_000), {}, "image_too_large"),
        (samples.png()[:-4], {}, "image_unreadable"),
        (samples.jpeg(60_000, 60_000), {}, "image_too_large"),
        (b"\xff\xd8\xff\xe0", {}, "image_unreadable"),
    ],
)
def test_wrong_file_is_refused_with_the_reason_and_removed(
    service: Service, content: bytes, changed: dict[str, Any], code: str
) -> None:
    document_id = service.upload(content, filename="réclamation.pdf", **changed)
    for _ in range(2):
        answer = service.complete(document_id)
        assert answer.status_code == 422
        assert answer.get_json()["code"] == code
        assert len(answer.get_json()["detail"]) > 20
    refused = row(service, document_id)
    assert (refused.state, refused.refusal) == ("refused", code)
    for key in (refused.incoming_key, refused.key):
        with pytest.raises(ObjectMissing):
            service.desk.store.stat(key)
    assert service.get(f"/documents/{document_id}/download").get_json()["code"] == "document_not_ready"
    assert service.complete(service.upload(PDF)).status_code == 200, "the rest of the dossier goes on"


def test_bomb_is_refused_within_its_limits(service: Service) -> None:
    harmless = service.complete(service.upload(samples.packed_pdf(1)))
    assert harmless.status_code == 200, "the same file with little in it opens"
    bomb = samples.packed_pdf(600)
    assert len(bomb) < 3 * 1024 * 1024
    assert service.complete(service.upload(bomb)).get_json().get("code") == "pdf_unreadable"


def test_a_judge_that_cannot_judge_is_our_fault_and_not_the_files(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    document_id = service.upload(PDF)
    with monkeypatch.context() as without:
        without.setattr(pdf_check, "judge", pdf_check.Judge("documents_service.nobody"))
        assert service.complete(document_id).status_code == 500
    assert service.complete(document_id).status_code == 200, "it can be completed when that is mended"


def test_a_judge_that_was_killed_is_followed_by_another(tmp_path: Path) -> None:
    file, judge = tmp_path / "claim.pdf", pdf_check.Judge()
    file.write_bytes(PDF)
    assert judge.verdict(file) == b"bo"
    first = judge._process
    assert first is not None
    first.kill()
    first.wait()
    assert judge.verdict(file) == b"bo"
    judge.end()
    assert judge.verdict(file) == b"bo"
    judge.end()


@pytest.mark.parametrize(
    ("content", "filename", "declared", "found", "served"),
    [
        (samples.png(), "photo.pdf", "application/pdf", "image/png", "photo.pdf.png"),
        (samples.jpeg(), "photo.jpeg", "text/html", "image/jpeg", "photo.jpeg"),
        (PDF, "x.pdf.exe", "application/x-msdownload", "application/pdf", "x.pdf.exe.pdf"),
    ],
)
def test_type_is_told_by_content_whatever_is_claimed(
    service: Service, content: bytes, filename: str, declared: str, found: str, served: str
) -> None:
    document_id = service.upload(content, filename=filename, content_type=declared)
    assert service.complete(document_id).get_json()["document"]["content_type"] == found
    response = httpx.get(service.get(f"/documents/{document_id}/download").get_json()["url"])
    assert response.headers["Content-Type"] == found
    assert response.headers["Content-Disposition"] == f'attachment; filename="{served}"'


def test_bytes_of_another_hash_are_found_even_if_the_store_let_them_in(service: Service) -> None:
    registered = service.register(PDF).get_json()
    other = bytes(len(PDF))
    service.desk.store.put(f"incoming/{registered['document_id']}", other, content_type="application/pdf")
    assert service.complete(registered["document_id"]).get_json()["code"] == "hash_mismatch"
    registered = service.register(PDF).get_json()
    service.desk.store.put(f"incoming/{registered['document_id']}", b"", content_type="application/pdf")
    assert service.complete(registered["document_id"]).get_json()["code"] == "file_empty"


def test_too_many_files_of_one_dossier_are_refused(service: Service) -> None:
    small = service.with_settings(max_files_per_dossier=1)
    assert small.register(PDF).status_code == 201
    assert small.register(PDF).get_json()["code"] == "too_many_files"


def test_store_away_during_completion_is_503_and_a_retry_works(service: Service) -> None:
    document_id = service.upload(PDF)
    away = service.with_settings(objects_url="http://127.0.0.1:9")
    answer = away.complete(document_id)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"]
    assert row(service, document_id).state == "registered"
    assert service.complete(document_id).status_code == 200


class CutAtRemoval(socketserver.BaseRequestHandler):
    """The store behind a wire that breaks at the first request to remove something."""

    def handle(self) -> None:
        host, port = self.server.store  # type: ignore[attr-defined]
        with socket.create_connection((host, port)) as store:
            threading.Thread(target=self._back, args=(store,), daemon=True).start()
            while sent := self.request.recv(65536):
                if sent.startswith(b"DELETE "):
                    return
                store.sendall(sent)

    def _back(self, store: socket.socket) -> None:
        with suppress(OSError):
            while answered := store.recv(65536):
                self.request.sendall(answered)


@pytest.mark.asynchronous
def test_store_lost_after_the_copy_changes_nothing_and_the_sweeper_tidies_up(service: Service) -> None:
    document_id = service.upload(PDF)
    store = urlsplit(service.settings.objects_url)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), CutAtRemoval) as wire:
        wire.daemon_threads = True
        wire.store = (store.hostname, store.port)  # type: ignore[attr-defined]
        threading.Thread(target=wire.serve_forever, args=(0.02,), daemon=True).start()
        lost = service.with_settings(objects_url=f"http://127.0.0.1:{wire.server_address[1]}")
        assert lost.complete(document_id).status_code == 200
        wire.shutdown()
    assert row(service, document_id).state == "verified"
    assert service.desk.store.stat(f"incoming/{document_id}").size == len(PDF)
    with service.database.transaction() as unit:
        unit.session.execute(text("UPDATE documents SET expires_at = expires_at - interval '46 minutes'"))
    remove_incoming(service.desk)
    with pytest.raises(ObjectMissing):
        service.desk.store.stat(f"incoming/{document_id}")


@pytest.mark.asynchronous
def test_completed_by_many_at_once_gives_everyone_the_same_answer(service: Service) -> None:
    for _ in range(5):
        document_id = service.upload(PDF)
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(service.complete, [document_id] * 6))
        assert [answer.status_code for answer in answers] == [200] * 6
        assert len({answer.get_json()["statement"] for answer in answers}) == 1


def test_another_citizens_document_is_not_there(service: Service) -> None:
    document_id = service.upload(PDF)
    service.complete(document_id)
    stranger, unknown = uuid.uuid4(), uuid.uuid4()
    for path in ("", "/download"):
        theirs = service.get(f"/documents/{document_id}{path}", citizen=stranger)
        nobodys = service.get(f"/documents/{unknown}{path}", citizen=stranger)
        assert theirs.status_code == nobodys.status_code == 404
        drop = {"instance"}
        assert {k: v for k, v in theirs.get_json().items() if k not in drop} == {
            k: v for k, v in nobodys.get_json().items() if k not in drop
        }
    assert service.complete(document_id, citizen=stranger).status_code == 404
    assert service.http.get(f"/api/documents/v1/documents/{document_id}").status_code == 401


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\x.pdf", "x.pdf"),
        ("C:\\Users\\moi\\réclamation.pdf", "réclamation.pdf"),
        ("re\u0301clamation.pdf", "réclamation.pdf"),
        ("😀 signé.pdf", "😀 signé.pdf"),
        ("facture\u202efdp.exe", "facturefdp.exe"),
        ("a\r\nSet-Cookie: x.pdf", "aSet-Cookie: x.pdf"),
        ('"<img onerror=x>".pdf', '"<img onerror=x>".pdf'),
        ("..", "document"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
        ("CON", "CON"),
    ],
)
def test_name_is_kept_but_never_as_a_key(service: Service, given: str, kept: str) -> None:
    document_id = service.upload(PDF, filename=given)
    answer = service.complete(document_id)
    assert answer.get_json()["document"]["filename"] == kept
    url = service.get(f"/documents/{document_id}/download").get_json()["url"]
    assert httpx.URL(url).path == f"/{service.settings.bucket}/documents/{document_id}"
    response = httpx.get(url)
    assert response.status_code == 200
    assert response.content == PDF
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")


def test_signed_address_is_short_lived(service: Service) -> None:
    document_id = service.upload(PDF)
    service.complete(document_id)
    url = httpx.URL(service.get(f"/documents/{document_id}/download").get_json()["url"])
    assert int(url.params["X-Amz-Expires"]) <= 60
    assert httpx.get(url.copy_remove_param("X-Amz-Signature")).status_code in (400, 403)
