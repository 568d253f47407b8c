"""Calls between services: who we are, what may work later, what never will."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import httpx
import pytest

from espace import telemetry
from espace.auth import JwksCache, ServiceTokens
from espace.config import ServiceSettings, SettingsError
from espace.errors import TransientError
from espace.http.client import ServiceClient
from espace.http.problems import Problem
from espace.testing import Issuer


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    client_id: ClassVar[str] = "notifier"


TRACE = f"00-{'a' * 32}-{'b' * 16}-01"
SETTINGS: dict[str, Any] = {
    "database_url": "",
    "amqp_url": "",
    "public_url": "http://localhost",
    "identity_url": "http://identity",
    "client_secret": "secret",
}


class Other:
    """Another service and identity, in memory."""

    def __init__(self, *answers: Callable[[httpx.Request], httpx.Response]) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []
        self.tokens_issued = 0

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        return self.answers.pop(0)(request)

    def token(self, _request: httpx.Request) -> httpx.Response:
        self.tokens_issued += 1
        return httpx.Response(200, json={"access_token": f"token-{self.tokens_issued}", "expires_in": 300})

    def client(self) -> ServiceClient:
        tokens = ServiceTokens("http://i", "notifier", "s", transport=httpx.MockTransport(self.token))
        return ServiceClient(
            audience="profile",
            base_url="http://profile",
            settings=Settings(**SETTINGS),
            tokens=tokens,
            transport=httpx.MockTransport(self.handle),
        )


def says(status: int, data: Any = None) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, json=data) if data is not None else httpx.Response(status)


def test_a_call_carries_our_token_and_the_request_id() -> None:
    other = Other(says(200, {"email": None}), says(204))
    client = other.client()
    with telemetry.caused_by("request-0001", TRACE):
        assert client.get("/internal/v1/x") == {"email": None}
        assert client.post("/y", json={"a": 1}, headers={"Idempotency-Key": "k"}) is None
    first, second = other.seen
    assert first.headers["Authorization"] == "Bearer token-1"
    assert first.headers["X-Request-Id"] == "request-0001"
    assert first.headers["traceparent"] == TRACE
    assert (second.headers["Idempotency-Key"], second.content) == ("k", b'{"a":1}')
    assert other.tokens_issued == 1


def test_the_calls_for_tokens_and_keys_carry_the_cause_too() -> None:
    seen: list[dict[str, str]] = []

    class Identity(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append({name.lower(): value for name, value in self.headers.items()})
            body = json.dumps({**Issuer().jwks, "access_token": "t", "expires_in": 300}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  the base class names it so

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Identity) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        with telemetry.caused_by("request-0001", TRACE):
            assert ServiceTokens(url, "notifier", "s").get("profile") == "t"
            assert JwksCache(f"{url}/identity/jwks.json").find("test")
        server.shutdown()
    assert [(each["x-request-id"], each["traceparent"]) for each in seen] == [("request-0001", TRACE)] * 2


def test_a_citizens_token_goes_as_it_is() -> None:
    other = Other(says(200, {}))
    other.client().get("/x", bearer="the-citizens")
    assert other.seen[0].headers["Authorization"] == "Bearer the-citizens"
    assert other.tokens_issued == 0


def test_a_refused_token_is_replaced_once() -> None:
    other = Other(says(401, {}), says(200, {"ok": 1}))
    assert other.client().get("/x") == {"ok": 1}
    assert [request.headers["Authorization"] for request in other.seen] == [
        "Bearer token-1",
        "Bearer token-2",
    ]
    with pytest.raises(TransientError, match="token"):
        Other(says(401, {}), says(401, {})).client().get("/x")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_work_later_is_transient(status: int) -> None:
    with pytest.raises(TransientError):
        Other(says(status, {})).client().get("/x")


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_no_answer_is_transient(error: type[httpx.TransportError]) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise error("no")

    with pytest.raises(TransientError, match=error.__name__):
        Other(fail).client().get("/x")


def test_a_problem_comes_back_as_it_was_told() -> None:
    told = Problem(410, "link_expired", "Too late.", errors={"token": ["Old."]}, since="today")
    with pytest.raises(Problem) as caught:
        Other(says(410, told.as_dict())).client().get("/x")
    assert caught.value.as_dict() == told.as_dict()
    with pytest.raises(Problem) as caught:
        Other(lambda _: httpx.Response(404, text="<html>")).client().get("/x")
    assert (caught.value.status, caught.value.code) == (404, "unknown")


def test_a_program_that_calls_has_a_name() -> None:
    with pytest.raises(SettingsError, match="client_id"):
        ServiceClient(audience="x", base_url="http://x", settings=ServiceSettings(**SETTINGS))


def test_calling_needs_no_flask() -> None:
    code = "import sys, espace.http.client, espace.bus; assert 'flask' not in sys.modules"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
