"""Stands in for identity's token endpoint, profile and dossier: a real HTTP server with facts to set."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class OwnersStub:
    """What the owners know; ``asked`` is every path that was asked with a token."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    asked: list[str] = field(default_factory=list)

    def contact(self, citizen_id: str, email: str | None, language: str = "fr") -> None:
        """Let profile know a citizen."""
        space = "confirmed" if email else "none"
        self.answers[f"/internal/v1/citizens/{citizen_id}/contact"] = {
            "email": email,
            "language": language,
            "space": space,
        }

    def confirmation(self, confirmation_id: str, **values: Any) -> None:
        """Let profile know a confirmation."""
        self.answers[f"/internal/v1/confirmations/{confirmation_id}"] = values

    def dossier(self, dossier: dict[str, Any]) -> None:
        """Let dossier know a dossier."""
        self.answers[f"/internal/v1/dossiers/{dossier['dossier_id']}"] = dossier


class Server(ThreadingHTTPServer):
    """Serves one stub."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.stub = OwnersStub(f"http://127.0.0.1:{self.server_address[1]}")

    def __enter__(self) -> "Server":
        threading.Thread(target=self.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        stub = self.server.stub
        if not self.headers.get("Authorization", "").startswith("Bearer token-for-"):
            self._answer(401, {"code": "token_missing"})
            return
        stub.asked.append(self.path)
        if stub.status != 200:
            self._answer(stub.status, {"code": "told_to_fail"})
        elif self.path in stub.answers:
            self._answer(200, stub.answers[self.path])
        else:
            self._answer(404, {"code": "not_found"})

    def do_POST(self) -> None:
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        audience = form.partition("resource=")[2].partition("&")[0]
        self._answer(200, {"access_token": f"token-for-{audience}", "expires_in": 300})

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
