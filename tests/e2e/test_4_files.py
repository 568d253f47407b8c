"""Files that are wrong, or named so as to harm: a clear refusal, and the rest of the dossier intact."""

from typing import Any

import httpx

from tests.e2e.app import App, expect
from tests.e2e.claims import COMPLETE, PROCEDURE
from tests.e2e.pdfs import encrypted_claim, padded_claim, signed_claim

WRONG_FILES = {
    "file_empty": b"",
    "not_a_pdf": b"<html><script>alert(1)</script></html>",
    "pdf_unreadable": b"%PDF-1.7\nrubbish",
    "pdf_encrypted": encrypted_claim(),
    "file_too_large": padded_claim(20 * 1024 * 1024 + 1),
}
NAMES = {
    "../../etc/passwd.pdf": "passwd.pdf",
    "réclamation 🗳️ signée.pdf": "réclamation 🗳️ signée.pdf",
    '"><img src=x onerror=alert(1)>.pdf': '"><img src=x onerror=alert(1)>.pdf',
}


def test_a_wrong_file_is_refused_with_its_reason_and_harms_nothing(candidate: App) -> None:
    draft = candidate.draft(PROCEDURE, COMPLETE)
    kept = candidate.attach(draft["id"], "autres", signed_claim())
    for code, content in WRONG_FILES.items():
        problem = expect(candidate.upload(draft["id"], "reclamation", content), 422)
        assert problem["code"] == code
        assert problem["detail"]
        assert _pieces(candidate.dossier(draft["id"])) == _pieces(kept)
    limit = candidate.attach(draft["id"], "reclamation", padded_claim(20 * 1024 * 1024))
    assert len(_pieces(limit)) == 2


def test_bytes_that_do_not_fit_what_was_said_are_refused_by_the_store(candidate: App) -> None:
    draft = candidate.draft(PROCEDURE, COMPLETE)
    said, sent = signed_claim(), signed_claim("Autre chose")
    assert len(said) != len(sent)
    registered = expect(candidate.register(draft["id"], "reclamation", said, "réclamation.pdf"), 201)
    completion = f"documents/v1/documents/{registered['document_id']}/completion"
    form = registered["form"]

    def post(content: bytes, **fields: str) -> httpx.Response:
        return httpx.post(form["url"], data=form["fields"] | fields, files={"file": ("x.pdf", content)})

    changed = post(said.replace(b"%%EOF", b"%%FOE"))
    assert (changed.status_code, "BadDigest" in changed.text) == (400, True)
    assert post(sent).status_code == 400
    assert post(said + b" ").status_code == 400
    assert post(said, key="incoming/elsewhere").status_code == 403
    assert expect(candidate.call("POST", completion, {}), 422)["code"] == "upload_missing"
    assert post(said).status_code in (201, 204)
    expect(candidate.call("POST", completion, {}), 200)


def test_names_are_data(candidate: App) -> None:
    draft = candidate.draft(PROCEDURE, COMPLETE)
    for given, kept in NAMES.items():
        completed = expect(candidate.upload(draft["id"], "autres", signed_claim(), given), 200)
        document = completed["document"]
        assert document["filename"] == kept
        where = candidate.get(f"documents/v1/documents/{document['id']}/download")["url"]
        assert httpx.URL(where).path == f"/espace-documents/documents/{document['id']}"
        served = httpx.get(where)
        assert served.status_code == 200
        assert served.headers["content-disposition"].startswith("attachment")
        assert served.headers["x-content-type-options"] == "nosniff"


def _pieces(dossier: Any) -> list[tuple[str, str]]:
    return [(piece["document_id"], piece["sha256"]) for piece in dossier["attachments"]]
