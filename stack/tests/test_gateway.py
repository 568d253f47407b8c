"""The gateway's rules, with echoes in the place of the programs."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from espace.program import IDLE_SECONDS
from espace.testing import until
from espace_stack.layout import BUCKET
from espace_stack.parts.programs import GatewayPart
from espace_stack.ports import Ports, free_port

SIGNED = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Signature": "a" * 64}
MULTIPART = "multipart/form-data; boundary=x"


class Echo(BaseHTTPRequestHandler):
    """Answers with the name it was given, the path and the headers that arrived; by ``?status=`` if asked."""

    names: ClassVar[dict[int, str]] = {}
    open: ClassVar[Counter[int]] = Counter()
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.open[self.server.server_address[1]] += 1
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.open[self.server.server_address[1]] -= 1

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = parse_qs(urlsplit(self.path).query).get("status", ["200"])
        port = self.server.server_address[1]
        body = json.dumps(
            {"to": self.names[port], "path": self.path, "headers": dict(self.headers.items())}
        ).encode()
        self.send_response(int(asked[0]))
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-Id", "made-inside")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayPart]:
    folder: Path = tmp_path_factory.mktemp("gateway")
    servers: dict[str, ThreadingHTTPServer] = {}

    def url(name: str) -> str:
        if name == "notifier-api":
            return f"http://127.0.0.1:{ports['nobody']}"
        if name not in servers:
            server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
            Echo.names[server.server_address[1]] = name
            threading.Thread(target=server.serve_forever, daemon=True).start()
            servers[name] = server
        return f"http://127.0.0.1:{servers[name].server_address[1]}"

    ports = Ports(folder / "ports.json")
    part = GatewayPart(folder, ports, url, rate=500)
    part.start()
    yield part
    part.kill()
    for server in servers.values():
        server.shutdown()
        server.server_close()


@pytest.fixture
def client(gateway: GatewayPart) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{gateway.ports['gateway']}", timeout=10) as client:
        yield client


@pytest.mark.parametrize(
    ("path", "to"),
    [
        ("/", "web"),
        ("/dossiers/1", "web"),
        ("/api/", "web"),
        ("/identity/.well-known/openid-configuration", "identity-api"),
        ("/api/profile/v1/profile", "profile-api"),
        ("/api/dossier/openapi.json", "dossier-api"),
        ("/api/documents/v1/uploads", "documents-api"),
        ("/api/scheduler/v1/x", "web"),
    ],
)
def test_path_goes_to_its_program(client: httpx.Client, path: str, to: str) -> None:
    assert client.get(path).json()["to"] == to


@pytest.mark.parametrize(
    "path",
    [
        *("/internal/v1/citizens/1", "/internal", "/internal/", "/metrics", "/livez", "/readyz"),
        *("/metrics/", "/livez/", "/readyz/", "/metrics//", "/metrics/x", "/metrics?a=1"),
    ],
)
def test_inside_path_is_absent(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.json()["path"] == "/erreur/404"


@pytest.mark.parametrize(
    "path",
    [
        "/api/dossier/../../internal/v1/x",
        "/identity/..%2finternal/v1/x",
        "/api/dossier/%2e%2e/%2e%2e/metrics",
    ],
)
def test_path_that_climbs_never_reaches_the_inside(gateway: GatewayPart, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.ports["gateway"], timeout=10)
    connection.request("GET", path)  # as it is: httpx would tidy it
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert answer.status in (400, 404)
    assert b'"to"' not in body or json.loads(body)["path"] == "/erreur/404"


@pytest.mark.parametrize(
    "name",
    [
        "X-User-Id",
        "X_User_Id",
        "X-Request-Id",
        "X-Client-Cert",
        "X-Forwarded-Tls-Client-Cert",
        "X_Forwarded_Tls_Client_Cert",
        "Traceparent",
        "Forwarded",
    ],
)
@pytest.mark.parametrize("path", ["/", "/identity/x", "/api/dossier/x"])
def test_header_the_inside_believes_is_deleted(client: httpx.Client, name: str, path: str) -> None:
    arrived = client.get(path, headers={name: "forged"}).json()["headers"]
    assert "forged" not in arrived.values()


def test_forwarded_address_is_the_gateways_own(client: httpx.Client) -> None:
    forged = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Host": "evil.example",
        "X-Real-Ip": "203.0.113.9",
    }
    arrived = client.get("/", headers=forged).json()["headers"]
    assert arrived["X-Forwarded-For"] == "127.0.0.1"
    assert "evil.example" not in json.dumps(arrived)
    assert "203.0.113.9" not in json.dumps(arrived)


def test_signed_download_and_form_upload_reach_the_store(client: httpx.Client) -> None:
    assert client.get(f"/{BUCKET}/ab/cd.pdf", params=SIGNED).json()["to"] == "objects"
    assert client.head(f"/{BUCKET}/ab/cd.pdf", params=SIGNED).status_code == 200
    upload = client.post(f"/{BUCKET}", content=b"x" * 3_000_000, headers={"Content-Type": MULTIPART})
    assert upload.json()["to"] == "objects"


@pytest.mark.parametrize(
    ("method", "path", "parameters", "headers"),
    [
        ("GET", "", {}, {}),
        ("GET", "/", {}, {}),
        ("GET", "/a.pdf", {}, {}),
        ("GET", "/a.pdf", {"X-Amz-Algorithm": "AWS4-HMAC-SHA256"}, {}),
        ("GET", "", SIGNED, {}),
        ("PUT", "/a.pdf", SIGNED, {}),
        ("DELETE", "/a.pdf", SIGNED, {}),
        ("POST", "/a.pdf", SIGNED, {}),
        ("POST", "", {"delete": ""}, {"Content-Type": MULTIPART, "Content-Length": "1"}),
        ("POST", "", {}, {"Content-Type": "application/xml", "Content-Length": "1"}),
    ],
)
def test_rest_of_the_bucket_is_closed(
    client: httpx.Client, method: str, path: str, parameters: dict[str, str], headers: dict[str, str]
) -> None:
    content = b"x" if headers else None
    answer = client.request(method, f"/{BUCKET}{path}", params=parameters, headers=headers, content=content)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("size", "status"), [("21999999", None), ("22000000", 403), ("100000000", 403), ("-1", 400)]
)
def test_upload_that_claims_more_than_a_file_is_refused_before_it_is_sent(
    gateway: GatewayPart, size: str, status: int | None
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.ports["gateway"], timeout=10)
    connection.putrequest("POST", f"/{BUCKET}")
    connection.putheader("Content-Type", MULTIPART)
    connection.putheader("Content-Length", size)
    connection.endheaders()
    if status is None:  # the store waits for the bytes
        connection.send(b"x" * int(size))
        assert json.loads(connection.getresponse().read())["to"] == "objects"
    else:
        assert connection.getresponse().status == status
    connection.close()


def test_upload_that_hides_its_size_is_refused(client: httpx.Client) -> None:
    chunked = client.post(f"/{BUCKET}", content=iter([b"x"]), headers={"Content-Type": MULTIPART})
    assert chunked.status_code == 403


def test_body_over_a_mebibyte_is_refused_except_where_a_file_is_sent_without_javascript(
    client: httpx.Client,
) -> None:
    body = b"x" * (1024 * 1024 + 1)
    for path, shown in (
        ("/api/dossier/v1/dossiers", "/erreur/413?forme=api"),
        ("/profil", "/erreur/413"),
    ):
        answer = client.post(path, content=body)
        assert answer.status_code == 413
        assert answer.json()["path"] == shown
    one_file = client.post("/dossiers/0a1b/pieces/claim", content=body, headers={"Content-Type": MULTIPART})
    assert one_file.json()["to"] == "web"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, gateway: GatewayPart) -> Iterator[httpx.Client]:
    """A gateway before the same programs that lets one request a second through."""
    folder: Path = tmp_path_factory.mktemp("strict")
    part = GatewayPart(folder, Ports(folder / "ports.json"), gateway._url, rate=1)
    part.start()
    with httpx.Client(base_url=f"http://127.0.0.1:{part.ports['gateway']}", timeout=10) as client:
        yield client
    part.kill()


@pytest.mark.parametrize(
    ("method", "path", "shown"),
    [
        ("GET", "/dossiers", "/erreur/429"),
        ("GET", "/identity/x", "/erreur/429"),
        ("GET", "/api/dossier/v1/dossiers", "/erreur/429?forme=api"),
        ("POST", f"/{BUCKET}", "/erreur/429?forme=api"),
        ("GET", f"/{BUCKET}/ab/cd.pdf", "/erreur/429"),
    ],
)
def test_too_many_requests_are_told_by_web(strict: httpx.Client, method: str, path: str, shown: str) -> None:
    options: dict[str, Any] = {"params": SIGNED} if method == "GET" and BUCKET in path else {}
    if method == "POST":
        options = {"content": b"x", "headers": {"Content-Type": MULTIPART}}
    answers = [strict.request(method, path, **options) for _ in range(20)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert {answer.json()["path"] for answer in refused} == {shown}


def test_profiles_own_refusal_of_too_many_messages_passes(client: httpx.Client) -> None:
    answer = client.post("/api/profile/v1/profile/email/resend?status=429")
    assert (answer.status_code, answer.json()["to"]) == (429, "profile-api")
    elsewhere = client.post("/api/dossier/v1/dossiers?status=429")
    assert (elsewhere.status_code, elsewhere.json()["to"]) == (429, "web")


@pytest.mark.parametrize("status", [403, 404])
def test_what_the_store_refuses_to_give_is_told_by_web(client: httpx.Client, status: int) -> None:
    answer = client.get(f"/{BUCKET}/ab/cd.pdf", params={**SIGNED, "status": str(status)})
    assert answer.status_code == status
    assert answer.json()["path"] == f"/erreur/{status}"


@pytest.mark.parametrize("status", [400, 403, 409, 422, 500, 503])
def test_what_a_program_answers_passes(client: httpx.Client, status: int) -> None:
    for path in ("/dossiers", "/api/dossier/v1/dossiers"):
        answer = client.get(path, params={"status": str(status)})
        assert answer.status_code == status
        assert answer.json()["path"].startswith(path)


def test_own_answers_carry_security_headers(client: httpx.Client) -> None:
    for path in ("/internal", f"/{BUCKET}"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in headers
    assert "sandbox" in client.get(f"/{BUCKET}/a", params=SIGNED).headers["Content-Security-Policy"]


def test_program_that_starts_meanwhile_is_tried_again(gateway: GatewayPart, client: httpx.Client) -> None:
    late: list[ThreadingHTTPServer] = []

    def start() -> None:
        server = ThreadingHTTPServer(("127.0.0.1", gateway.ports["nobody"]), Echo)
        Echo.names[server.server_address[1]] = "late"
        late.append(server)
        server.serve_forever()

    timer = threading.Timer(0.1, start)
    timer.start()
    try:
        assert client.get("/api/notifier/v1/notifications").json()["to"] == "late"
    finally:
        until("the late program", lambda: late)
        late[0].shutdown()
        late[0].server_close()
        timer.join()


def test_an_idle_connection_is_ended_before_the_program_would_end_it(client: httpx.Client) -> None:
    assert client.post("/api/documents/v1/uploads").json()["to"] == "documents-api"
    (port,) = (port for port, name in Echo.names.items() if name == "documents-api")
    until("none is kept", lambda: Echo.open[port] == 0, IDLE_SECONDS - 2)


def test_log_names_no_path_but_the_request_id_of_the_answer(
    gateway: GatewayPart, client: httpx.Client
) -> None:
    client.get("/confirmation/very-secret-token", params={"code": "very-secret-code"})
    log = gateway.process.log.read_text()
    assert "very-secret" not in log
    assert "made-inside" in log


def test_free_port_is_not_given_twice() -> None:
    assert free_port() != free_port()


def test_health_and_metrics_are_inside_and_no_route_is(gateway: GatewayPart, client: httpx.Client) -> None:
    inside = f"http://127.0.0.1:{gateway.ports['gateway-inside']}"
    assert httpx.get(f"{inside}/ping").text == "OK"
    assert client.get("/").status_code == 200
    metrics = httpx.get(f"{inside}/metrics").text
    assert 'traefik_entrypoint_requests_total{code="200",entrypoint="web"' in metrics
    for path in ("/", "/api/dossier/v1/dossiers", "/identity/login"):
        assert httpx.get(f"{inside}{path}").status_code == 404
    assert client.get("/ping").json()["to"] == "web"
    assert client.get("/metrics").status_code == 404
