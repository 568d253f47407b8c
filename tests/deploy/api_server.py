"""As much of a Kubernetes API server as Traefik's providers ask for: lists, quiet watches, states."""

import copy
import json
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from tests.deploy.kubernetes import Object

KINDS = {
    kind.lower() + "s": kind
    for kind in (
        *("Service", "Secret", "ConfigMap", "Namespace", "Node", "EndpointSlice", "Gateway", "HTTPRoute"),
        *(
            "GRPCRoute",
            "TCPRoute",
            "TLSRoute",
            "UDPRoute",
            "ReferenceGrant",
            "IngressRoute",
            "IngressRouteTCP",
        ),
        *("IngressRouteUDP", "Middleware", "MiddlewareTCP", "TLSOption", "TLSStore", "ServersTransport"),
        *("ServersTransportTCP", "TraefikService"),
    )
} | {"gatewayclasses": "GatewayClass", "backendtlspolicies": "BackendTLSPolicy"}


class ApiServer:
    """Serves ``objects`` and nothing else on a free port."""

    def __init__(self, objects: Iterable[Object]) -> None:
        objects = [copy.deepcopy(content) for content in objects]
        for number, content in enumerate(objects, 1):
            content["metadata"] |= {"uid": str(number), "resourceVersion": "1", "generation": 1}
        handler = type("Handler", (_Handler,), {"objects": objects})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """End; its watches end with their watcher."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    objects: ClassVar[list[Object]] = []
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(place.query).items()}
        kind = KINDS.get(place.path.rpartition("/")[2])
        if kind is None:
            self._answer({"kind": "Status", "apiVersion": "v1", "code": 404}, 404)
            return
        version = place.path.removeprefix("/apis/").removeprefix("/api/").rpartition("/")[0]
        found = [content for content in self.objects if content["kind"] == kind]
        if asked.get("watch") in ("true", "1"):
            self._watch(version, kind, found if asked.get("sendInitialEvents") == "true" else [])
        else:
            about = {"kind": f"{kind}List", "apiVersion": version, "metadata": {"resourceVersion": "1"}}
            self._answer({**about, "items": found})

    def do_PUT(self) -> None:
        """The state of an object: taken, and not kept."""
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    do_PATCH = do_POST = do_PUT  # noqa: N815

    def _watch(self, version: str, kind: str, found: list[Object]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        end: dict[str, Any] = {"resourceVersion": "1", "annotations": {"k8s.io/initial-events-end": "true"}}
        bookmark = {"kind": kind, "apiVersion": version, "metadata": end}
        events = [{"type": "ADDED", "object": content} for content in found]
        for event in (*events, {"type": "BOOKMARK", "object": bookmark}):
            self.wfile.write(json.dumps(event).encode() + b"\n")
        self.wfile.flush()
        self.rfile.read(1)  # until the watcher goes
        self.close_connection = True

    def _answer(self, content: Any, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...
