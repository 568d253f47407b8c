"""Production's routes do what gateway/dynamic.yml does: two Traefiks, one asked by file, one by Gateway API.

The second one reads what is rendered, from a played API server; ports and the certificate are the test's.
"""

import base64
import copy
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
import yaml

from espace.testing import until
from espace_stack.layout import BUCKET
from espace_stack.parts.programs import GatewayPart
from espace_stack.ports import Ports, free_port
from stack.tests.test_gateway import MULTIPART, SIGNED, Echo
from tests.deploy.api_server import ApiServer
from tests.deploy.compose import ROOT
from tests.deploy.crds import with_defaults
from tests.deploy.kubernetes import FOLDER, Object, of_kind, overlay

HOST = "monespace.example"
RATE = 500
USED = ("Gateway", "HTTPRoute", "Middleware", "TraefikService", "ServersTransport")
MEBIBYTE = 1024 * 1024
FORM = {"Content-Type": MULTIPART}
HSTS = "strict-transport-security"
"""Said over TLS only."""


@dataclass(frozen=True)
class Ask:
    """One request."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    size: int = 0

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.params or ''} {self.headers or ''} {self.size or ''}"


ASKED = [
    *(
        Ask("GET", path)
        for path in ("/", "/dossiers/1", "/api/", "/api", "/api/dossier", "/identity", "/x.css")
    ),
    *(Ask("GET", path) for path in ("/internal", "/internal/", "/internal/v1/citizens/1", "/internals")),
    *(
        Ask("GET", f"/{name}{rest}")
        for name in ("metrics", "livez", "readyz")
        for rest in ("", "/", "/x", "x")
    ),
    Ask("GET", "/identity/.well-known/openid-configuration"),
    *(Ask("GET", f"/api/{s}/v1/x") for s in ("profile", "dossier", "documents", "notifier", "scheduler")),
    # ---- the store
    Ask("GET", f"/{BUCKET}/ab/cd.pdf", params=SIGNED),
    Ask("HEAD", f"/{BUCKET}/ab/cd.pdf", params=SIGNED),
    Ask("GET", f"/{BUCKET}/ab/cd.pdf"),
    Ask("GET", f"/{BUCKET}/Ab/cd.pdf", params=SIGNED),
    Ask("GET", f"/{BUCKET}/ab/cd.pdf", params={**SIGNED, "X-Amz-Signature": "short"}),
    Ask("GET", f"/{BUCKET}/ab/cd.pdf", params={**SIGNED, "X-Amz-Algorithm": "other"}),
    *(Ask(method, f"/{BUCKET}/ab.pdf", params=SIGNED) for method in ("PUT", "DELETE", "POST", "PATCH")),
    *(Ask("GET", f"/{BUCKET}{rest}", params=SIGNED) for rest in ("", "/", "x")),
    Ask("POST", f"/{BUCKET}", FORM, size=3 * MEBIBYTE),
    Ask("POST", f"/{BUCKET}", FORM, params={"delete": ""}, size=1),
    Ask("POST", f"/{BUCKET}", FORM, params={"delete": "1"}, size=1),
    Ask("POST", f"/{BUCKET}", {"Content-Type": "application/xml"}, size=1),
    Ask("POST", f"/{BUCKET}/", FORM, size=1),
    *(
        Ask("GET", f"/{BUCKET}/ab/cd.pdf", params={**SIGNED, "status": status})
        for status in ("403", "404", "429", "500", "502")
    ),
    # ---- bodies
    *(Ask("POST", path, size=MEBIBYTE + 1) for path in ("/profil", "/api/dossier/v1/x", "/identity/token")),
    Ask("POST", "/dossiers/0a1b/pieces/claim", FORM, size=2 * MEBIBYTE),
    Ask("POST", "/dossiers/0a1b/drc/0a", FORM, size=2 * MEBIBYTE),
    Ask("POST", "/dossiers/0a1b/pieces/claim", FORM, size=22 * MEBIBYTE),
    Ask("POST", "/dossiers/0a1b/pieces/claim", size=2 * MEBIBYTE),
    Ask("POST", "/dossiers/0a1b/other/claim", FORM, size=2 * MEBIBYTE),
    # ---- answers that web gives in the gateway's place, and answers that pass
    *(
        Ask("GET", path, params={"status": status})
        for path in ("/dossiers", "/identity/x", "/api/profile/v1/x", "/api/dossier/v1/x")
        for status in ("403", "404", "413", "429", "500", "502", "503", "504")
    ),
    # ---- what the inside could believe
    *(
        Ask("GET", path, {name: "forged"})
        for path in ("/", "/identity/x", "/api/dossier/x")
        for name in ("X-Request-Id", "X-User-Id", "X_User_Id", "Forwarded", "Traceparent", "X-Client-Cert")
    ),
]


@dataclass(frozen=True)
class Both:
    """The gateway that reads our file, and the one that reads production's routes."""

    by_file: httpx.Client
    by_routes: httpx.Client

    def answers(self, ask: Ask) -> tuple[Any, Any]:
        """What each says, and what arrived behind it."""
        return _ask(self.by_file, ask), _ask(self.by_routes, ask)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder: Path = tmp_path_factory.mktemp("gateways")
    echoes = {name: _echo(name) for name in _names()}
    address = {name: f"http://127.0.0.1:{server.server_address[1]}" for name, server in echoes.items()}
    by_file = GatewayPart(folder, Ports(folder / "ports.json"), lambda name: address[name], rate=RATE)
    by_file.start()
    port = free_port()
    ports = {name: int(server.server_address[1]) for name, server in echoes.items()}
    api = ApiServer(_objects(port, ports, folder))
    command = [str(Path(sys.executable).parent / "traefik"), f"--configfile={_static(folder, port, api.url)}"]
    with (folder / "routes.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    trust = ssl.create_default_context(cafile=str(folder / "tls.crt"))
    plain, secure = f"http://127.0.0.1:{by_file.ports['gateway']}", f"https://127.0.0.1:{port}"
    try:
        with (
            httpx.Client(base_url=plain, headers={"Host": HOST}, timeout=30) as first,
            httpx.Client(base_url=secure, headers={"Host": HOST}, timeout=30, verify=trust) as second,
        ):
            made = Both(first, second)
            until(lambda: (folder / "routes.log").read_text(), lambda: _is_ready(second), 30)
            yield made
    finally:
        process.kill()
        process.wait()
        by_file.kill()
        api.stop()
        for server in echoes.values():
            server.shutdown()
            server.server_close()


@pytest.mark.parametrize("ask", ASKED, ids=str)
def test_both_answer_alike(both: Both, ask: Ask) -> None:
    by_file, by_routes = both.answers(ask)
    assert by_routes == by_file


def test_the_requests_meet_every_route_and_every_own_answer(both: Both) -> None:
    answers = [both.answers(ask)[0] for ask in ASKED]
    assert {answer["to"] for answer in answers} >= {*_names()} - {"scheduler-api"}
    assert {answer["status"] for answer in answers} >= {200, 403, 404, 413, 429, 502}


def test_over_tls_browsers_are_told_to_stay_there(both: Both) -> None:
    assert (
        both.by_routes.get("/", extensions={"sni_hostname": HOST})
        .headers[HSTS]
        .startswith("max-age=31536000")
    )


def test_middlewares_are_those_of_the_file() -> None:
    text = (ROOT / "gateway" / "dynamic.yml").read_text()
    text = re.sub(
        r"^\{\{-.*\}\}$", "", text.partition("  middlewares:\n")[2].partition("  services:\n")[0], flags=re.M
    )
    text = text.replace('{{ env "GATEWAY_RATE" | default "50" }}', "50")
    text = text.replace('{{ mul 2 (env "GATEWAY_RATE" | default "50" | int) }}', "100")
    ours: Object = yaml.safe_load(text)
    for middleware in ours.values():
        if "errors" in middleware:
            middleware["errors"]["service"] = {"name": middleware["errors"]["service"], "port": 8000}
    assert {name: content["spec"] for name, content in of_kind("prod", "Middleware").items()} == ours


def test_every_middleware_is_used() -> None:
    (route,) = (r for name, r in of_kind("prod", "HTTPRoute").items() if name == "espace")
    used = {f["extensionRef"]["name"] for rule in route["spec"]["rules"] for f in rule["filters"]}
    assert used == of_kind("prod", "Middleware").keys()


def test_plain_http_leads_to_https_and_nowhere_else() -> None:
    (rule,) = of_kind("prod", "HTTPRoute")["to-https"]["spec"]["rules"]
    assert "backendRefs" not in rule
    assert rule["filters"][0]["requestRedirect"] == {"scheme": "https", "statusCode": 301}
    listeners = of_kind("prod", "Gateway")["espace"]["spec"]["listeners"]
    (secure,) = (entry for entry in listeners if entry["protocol"] == "HTTPS")
    (certificate,) = of_kind("prod", "Certificate").values()
    assert secure["tls"]["certificateRefs"] == [{"name": certificate["spec"]["secretName"]}]
    assert certificate["spec"]["dnsNames"] == [secure["hostname"]]


def test_the_readme_asks_for_the_entry_points_settings_of_ours() -> None:
    """Traefik is the cluster's: what no route can say, its installation has to."""
    static = yaml.safe_load((ROOT / "gateway" / "traefik.yml").read_text())
    point = static["entryPoints"]["web"]
    wanted = [
        *_flags("--entryPoints.websecure.http", point["http"]),
        *_flags("--entryPoints.websecure.transport", point["transport"]),
        *_flags("--serversTransport", static["serversTransport"]),
        *_flags("--accessLog", static["accessLog"]),
    ]
    readme = (FOLDER / "overlays" / "prod" / "README.md").read_text()
    assert wanted == re.findall(
        r"^ +(--(?:entryPoints[.]web|serversTransport|accessLog)\S+)$", readme, flags=re.M
    )


def _ask(client: httpx.Client, ask: Ask) -> dict[str, Any]:
    answer = client.request(
        ask.method,
        ask.path,
        headers=ask.headers,
        params=ask.params or None,
        content=b"x" * ask.size if ask.size else None,
        extensions={"sni_hostname": HOST},
    )
    nothing: dict[str, Any] = {"to": "", "path": "", "headers": {}}
    arrived: dict[str, Any] = answer.json() if answer.content else nothing
    own = ("X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server")
    passed = {name: value for name, value in arrived["headers"].items() if name not in own}
    kept = {name: value for name, value in answer.headers.items() if name not in ("date", HSTS)}
    return {
        "status": answer.status_code,
        "to": arrived["to"],
        "path": arrived["path"],
        "arrived": passed,
        "answered": {**kept, "content-length": ""},  # the echo's own words have the length of what arrived
    }


def _is_ready(client: httpx.Client) -> bool:
    try:
        return bool(_ask(client, Ask("GET", "/"))["to"] == "web")
    except (httpx.HTTPError, ValueError):
        return False


def _names() -> list[str]:
    return [name for name, service in of_kind("prod", "Service").items() if name not in ("clamav",)]


def _echo(name: str) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    Echo.names[server.server_address[1]] = name
    Thread(target=server.serve_forever, daemon=True).start()
    return server


def _objects(port: int, ports: dict[str, int], folder: Path) -> list[Object]:
    """Production's, and what a cluster has besides."""
    objects = [copy.deepcopy(content) for content in overlay("prod") if content["kind"] in USED]
    for content in objects:
        if content["kind"] == "Gateway":
            (secure,) = (entry for entry in content["spec"]["listeners"] if entry["protocol"] == "HTTPS")
            secure["port"] = port
            content["spec"]["listeners"] = [secure]
        if content["kind"] == "Middleware" and "rateLimit" in content["spec"]:
            content["spec"]["rateLimit"] = {"average": RATE, "burst": 2 * RATE}
        if content["kind"] == "TraefikService":
            (service,) = content["spec"]["weighted"]["services"]
            service |= {"port": ports["objects"], "scheme": "http"}
    for name, service in of_kind("prod", "Service").items():
        if name in ports:
            service = copy.deepcopy(service)
            objects.append(service)
            if service["spec"].get("type") == "ExternalName":
                service["spec"] |= {
                    "externalName": "127.0.0.1",
                    "ports": [{"name": "x", "port": ports[name]}],
                }
            else:
                service["spec"]["ports"][0]["protocol"] = "TCP"
                objects.append(_endpoints(name, ports[name]))
    return [with_defaults(c) if c["kind"] in USED else c for c in (*objects, *_surroundings(folder))]


def _endpoints(name: str, port: int) -> Object:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": name, "namespace": "espace", "labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True, "serving": True}}],
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
    }


def _surroundings(folder: Path) -> list[Object]:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", "tls.key", "-out", "tls.crt", "-days", "2", "-subj", f"/CN={HOST}"]
    command += ["-addext", f"subjectAltName=DNS:{HOST}"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    pair = {name: base64.b64encode((folder / name).read_bytes()).decode() for name in ("tls.crt", "tls.key")}
    secret = {"name": "gateway-tls", "namespace": "espace"}
    return [
        {"apiVersion": "v1", "kind": "Secret", "metadata": secret, "type": "kubernetes.io/tls", "data": pair},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "espace"}},
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "GatewayClass",
            "metadata": {"name": "traefik"},
            "spec": {"controllerName": "traefik.io/gateway-controller"},
        },
    ]


def _static(folder: Path, port: int, api: str) -> Path:
    """Our own static file, with the providers that production's Traefik has."""
    static: Object = yaml.safe_load((ROOT / "gateway" / "traefik.yml").read_text())
    entry = {**static["entryPoints"]["web"], "address": f"127.0.0.1:{port}"}
    static["entryPoints"] = {"websecure": entry}
    for name in ("ping", "metrics"):
        static.pop(name, None)
    crds = {"endpoint": api, "token": "any", "allowExternalNameServices": True}
    static["providers"] = {"kubernetesGateway": {"endpoint": api, "token": "any"}, "kubernetesCRD": crds}
    file = folder / "routes.yml"
    file.write_text(yaml.safe_dump(static))
    return file


def _flags(prefix: str, settings: Object) -> list[str]:
    found = []
    for name, value in settings.items():
        if isinstance(value, dict):
            found += _flags(f"{prefix}.{name}", value)
        else:
            found.append(f"{prefix}.{name}={str(value).lower() if isinstance(value, bool) else value}")
    return found
