"""Secrets as objects of a cluster: made once, the same ever after; the API server is played by its rules."""

import base64
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from espace.clock import LegalTime
from espace_stack.deployment import Deployment
from espace_stack.kubernetes import Cluster, publish
from espace_stack.part import FailedPart

AT_HOME = {"public_url": "http://localhost:8080", "simulator_url": "http://127.0.0.1:8081"}


class ApiServer:
    """Objects of one namespace, by plural and name; counts what is written."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Any] = {}
        self.changes = 0
        self.refused: set[str] = set()

    def answer(self, request: httpx.Request) -> httpx.Response:
        _, _, _, _, namespace, plural, *rest = request.url.path.split("/")
        assert namespace == "espace"
        body = json.loads(request.content or "null")
        name = rest[0] if rest else body["metadata"]["name"]
        if name in self.refused:
            return httpx.Response(403, json={"message": f"no, with {request.content.decode()}"})
        found = self.objects.get((plural, name))
        if request.method == "GET":
            return httpx.Response(200, json=found) if found else httpx.Response(404)
        if request.method == "POST" and found:
            return httpx.Response(409)
        if request.method == "PATCH":
            assert request.headers["Content-Type"] == "application/apply-patch+yaml"
            assert request.url.params["force"] == "true"
        assert request.url.params["fieldManager"] == "espace"
        self.changes += found != body
        self.objects[plural, name] = body
        return httpx.Response(200, json=body)

    def cluster(self) -> Cluster:
        base = "http://cluster/api/v1/namespaces/espace"
        return Cluster(httpx.Client(base_url=base, transport=httpx.MockTransport(self.answer)))

    def publish(self, *, legal_start: str = "2024-10-15T09:00") -> None:
        publish(self.cluster(), **AT_HOME, legal_start=legal_start)


@pytest.fixture
def server() -> ApiServer:
    return ApiServer()


def files(stored: Any) -> dict[str, str]:
    return {name: base64.b64decode(content).decode() for name, content in stored["data"].items()}


def test_each_program_and_server_gets_its_own(server: ApiServer, tmp_path: Path) -> None:
    server.publish()
    bundles = Deployment(tmp_path, **AT_HOME).bundles()
    made = {name: content for (plural, name), content in server.objects.items() if plural == "secrets"}
    assert made.keys() == bundles.keys() | {"made"}
    for name, bundle in bundles.items():
        assert files(made[name]).keys() == bundle.keys()


def test_what_is_given_follows_from_what_is_kept(server: ApiServer, tmp_path: Path) -> None:
    server.publish()
    for name, content in files(server.objects["secrets", "made"]).items():
        (tmp_path / name).write_text(content)
    for name, bundle in Deployment(tmp_path, **AT_HOME).bundles().items():
        assert files(server.objects["secrets", name]) == bundle


def test_a_second_run_changes_nothing(server: ApiServer) -> None:
    server.publish()
    before = server.changes
    server.publish(legal_start="2024-11-01T09:00")
    assert server.changes == before


def test_what_was_lost_is_given_again_as_it_was(server: ApiServer) -> None:
    server.publish()
    lost = server.objects.pop(("secrets", "identity"))
    server.publish()
    assert server.objects["secrets", "identity"] == lost


def test_legal_time_begins_when_it_is_told_to(server: ApiServer) -> None:
    server.publish(legal_start="2024-10-15T09:00")
    time = LegalTime.parse(server.objects["configmaps", "legal-clock"]["data"]["clock.json"])
    assert not time.is_real


def test_of_two_that_begin_together_one_gives_way(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    late = server.cluster()
    monkeypatch.setattr(late, "secret", lambda _name: None)  # it looked before the other one had made any
    server.publish()
    before = dict(server.objects)
    with pytest.raises(FailedPart, match="409"):
        publish(late, **AT_HOME, legal_start="2024-10-15T09:00")
    assert server.objects == before


def test_refusal_is_told_without_what_was_sent(server: ApiServer) -> None:
    server.refused.add("dossier")
    with pytest.raises(FailedPart, match=r"secrets/dossier: 403 Forbidden$"):
        server.publish()
