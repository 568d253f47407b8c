"""One claim over the API, as a mobile application files it: ten requests from the draft to the receipt."""

import hashlib
import json
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from benchmarks.lean import Answer, Lean
from tests.e2e.claims import COMPLETE, PROCEDURE

BOUNDARY = "bench-boundary"


class Claim:
    """Of one citizen; ``client`` is a connection to the gateway.

    Raises:
        RuntimeError: any step that does not succeed.
    """

    def __init__(self, client: Lean, token: str, file: bytes) -> None:
        self._client, self._file = client, file
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def file(self) -> str:
        """The whole way; the number of the receipt."""
        draft = self._call("POST", "dossier/v1/dossiers", {"procedure": PROCEDURE}, 201)
        path = f"dossier/v1/dossiers/{draft['id']}"
        match = {"If-Match": f'"{draft["version"]}"'}
        self._call("PATCH", f"{path}/values", {"values": COMPLETE}, 200, match)
        self._call("POST", f"{path}/validation", {}, 200)
        paper = self._ask("GET", f"documents/v1/dossiers/{draft['id']}/declaration", None, 200)
        if not paper.body.startswith(b"%PDF"):
            raise RuntimeError("the declaration is no PDF")
        statement = self._upload(draft["id"])
        attached = self._call(
            "POST", f"{path}/attachments", {"slot": "reclamation", "statement": statement}, 201
        )
        seen = {"content_sha256": attached["content_sha256"]}
        deposited = self._call("POST", f"{path}/submission", seen, 201)
        receipt = self._call("GET", f"{path}/receipt", None, 200)
        if receipt["number"] != deposited["number"]:
            raise RuntimeError(f"{receipt['number']} is not {deposited['number']}")
        return str(receipt["number"])

    def _upload(self, dossier_id: str) -> str:
        asked = {
            "filename": "réclamation.pdf",
            "size": len(self._file),
            "content_type": "application/pdf",
            "sha256": hashlib.sha256(self._file).hexdigest(),
            "slot": "reclamation",
            "dossier_id": dossier_id,
        }
        announced = self._call("POST", "documents/v1/uploads", asked, 201)
        send(self._client, announced["form"], self._file)
        path = f"documents/v1/documents/{announced['document_id']}/completion"
        return str(self._call("POST", path, {}, 200)["statement"])

    def _call(
        self, method: str, path: str, body: Any, status: int, more: dict[str, str] | None = None
    ) -> Any:
        return json.loads(self._ask(method, path, body, status, more).body)

    def _ask(
        self, method: str, path: str, body: Any, status: int, more: dict[str, str] | None = None
    ) -> Answer:
        headers = {**self._headers, **(more or {})}
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())
        content = b"" if body is None else json.dumps(body).encode()
        answer = self._client.ask(method, f"/api/{path}", headers, content)
        if answer.status != status:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.body[:300]!r}")
        return answer


def send(client: Lean, form: Any, file: bytes) -> None:
    """Post the bytes by the signed form, through the gateway too."""
    head = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in form["fields"].items()
    )
    head += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="r.pdf"\r\n'
    head += "Content-Type: application/pdf\r\n\r\n"
    body = head.encode() + file + f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = client.ask("POST", urlsplit(form["url"]).path, kind, body)
    if answer.status not in (201, 204):
        raise RuntimeError(f"the store: {answer.status} {answer.body[:300]!r}")
