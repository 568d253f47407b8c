"""Files that are wrong, or named so as to harm: a clear refusal, and the rest of the dossier intact."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.e2e.app import App, expect
from tests.e2e.claims import COMPLETE, PROCEDURE
from tests.e2e.pdfs import encrypted_claim, padded_claim, signed_claim

NewApp = Callable[..., App]
WRONG_FILES = [
    ("empty", b"", "file_empty"),
    ("not a PDF", b"<html><script>alert(1)</script></html>", "not_a_pdf"),
    ("does not open", b"%PDF-1.7\nrubbish", "pdf_unreadable"),
    ("encrypted", encrypted_claim(), "pdf_encrypted"),
    ("too large by one byte", padded_claim(20 * 1024 * 1024 + 1), "file_too_large"),
]


@pytest.mark.parametrize(("what", "content", "code"), WRONG_FILES, ids=[w[0] for w in WRONG_FILES])
def test_a_wrong_file_is_refused_with_a_reason_and_harms_nothing(
    new_app: NewApp, what: str, content: bytes, code: str
) -> None:
    app = new_app(space=False)
    draft = app.draft(PROCEDURE, COMPLETE)
    kept = app.attach(draft["id"], "autres", signed_claim())
    refused = app.upload(draft["id"], "reclamation", content)
    assert refused.status_code == 422, what
    problem = refused.json()
    assert problem["code"] in (code, "validation_failed")
    assert problem["detail"]
    assert _pieces(app.dossier(draft["id"])) == _pieces(kept)
    app.attach(draft["id"])


def test_bytes_that_do_not_fit_what_was_said_are_refused_by_the_store(new_app: NewApp) -> None:
    app = new_app(space=False)
    draft = app.draft(PROCEDURE, COMPLETE)
    said, sent = signed_claim(), signed_claim("Autre chose")
    form = expect(app.register(draft["id"], "reclamation", said, "réclamation.pdf"), 201)["form"]
    other = httpx.post(form["url"], data=form["fields"], files={"file": ("x.pdf", sent)})
    longer = httpx.post(form["url"], data=form["fields"], files={"file": ("x.pdf", said + b" ")})
    elsewhere = form["fields"] | {"key": "incoming/elsewhere"}
    moved = httpx.post(form["url"], data=elsewhere, files={"file": ("x.pdf", said)})
    assert (other.status_code, longer.status_code, moved.status_code) == (400, 400, 403)
    right = httpx.post(form["url"], data=form["fields"], files={"file": ("x.pdf", said)})
    assert right.status_code in (201, 204)


def test_names_are_data(new_app: NewApp) -> None:
    app = new_app(space=False)
    draft = app.draft(PROCEDURE, COMPLETE)
    for name in ("../../etc/passwd.pdf", "réclamation 🗳️ signée.pdf", '"><img src=x onerror=alert(1)>.pdf'):
        completed = expect(app.upload(draft["id"], "autres", signed_claim(), name), 200)
        document = completed["document"]
        assert "/" not in document["filename"]
        where = app.get(f"documents/v1/documents/{document['id']}/download")["url"]
        served = httpx.get(where)
        assert served.status_code == 200
        assert served.headers["content-disposition"].startswith("attachment")
        assert served.headers["x-content-type-options"] == "nosniff"
        assert document["id"] in where


def _pieces(dossier: Any) -> list[tuple[str, str]]:
    return [(piece["document_id"], piece["sha256"]) for piece in dossier["attachments"]]
