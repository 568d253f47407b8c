"""What a platform in Kubernetes needs that manifests cannot say: secrets made once, legal time, queues.

``python -m espace_stack deployment kubernetes`` runs in a pod whose account may make Secrets and ConfigMaps
in its namespace. All secrets follow from what the Secret ``made`` keeps: run again, it changes nothing.
"""

import argparse
import base64
import os
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from espace_stack import deployment
from espace_stack.belongings import Belongings
from espace_stack.legal import START, Legal, parse_instant
from espace_stack.part import FailedPart
from espace_stack.secret import Secrets
from espace_stack.servers import Addresses

SERVER: Final = "https://kubernetes.default.svc"
ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
MADE: Final = "made"
LEGAL_CLOCK: Final = "legal-clock"
MANAGER: Final = "espace"


class Cluster:
    """The Secrets and ConfigMaps of one namespace.

    Args:
        http: asks the API server, with the namespace's address as its base.
    """

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    @classmethod
    def of_this_pod(cls) -> "Cluster":
        """With the rights of the pod's own account."""
        namespace = (ACCOUNT / "namespace").read_text()
        return cls(
            httpx.Client(
                base_url=f"{SERVER}/api/v1/namespaces/{namespace}",
                headers={"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}"},
                verify=_trusting(ACCOUNT / "ca.crt"),
                trust_env=False,
                timeout=20,
            )
        )

    def secret(self, name: str) -> dict[str, str] | None:
        """The files of a Secret, None if there is none of that name."""
        answer = self._http.get(f"/secrets/{name}")
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        data = _checked(answer).json().get("data") or {}
        return {file: base64.b64decode(content).decode() for file, content in data.items()}

    def create_secret(self, name: str, files: Mapping[str, str]) -> None:
        """A new Secret; one of that name must not be there."""
        _checked(self._http.post("/secrets", params=_MANAGED, json=_object("Secret", name, _encoded(files))))

    def apply_secret(self, name: str, files: Mapping[str, str]) -> None:
        """A Secret as it is to be, new or not; one that is so already stays untouched."""
        _checked(
            self._http.patch(
                f"/secrets/{name}",
                params={**_MANAGED, "force": "true"},
                headers={"Content-Type": "application/apply-patch+yaml"},
                json=_object("Secret", name, _encoded(files)),
            )
        )

    def ensure_config(self, name: str, files: Mapping[str, str]) -> None:
        """A ConfigMap, unless one of that name is there, whatever it holds."""
        answer = self._http.post("/configmaps", params=_MANAGED, json=_object("ConfigMap", name, files))
        if answer.status_code != httpx.codes.CONFLICT:
            _checked(answer)


def _trusting(authority: Path) -> ssl.SSLContext:
    """The cluster's own authority, without the extensions that Python 3.13 asks for and many do not have."""
    context = ssl.create_default_context(cafile=str(authority))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def publish(cluster: Cluster, *, public_url: str, simulator_url: str, legal_start: str) -> None:
    """Make what is missing of the secrets and give each program and server its own; set legal time once.

    Raises:
        FailedPart: the API server refuses something.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder, MADE)
        kept = cluster.secret(MADE)
        for file, content in (kept or {}).items():
            Secrets(made).keep(file, content)
        bundles = deployment.Deployment(made, public_url=public_url, simulator_url=simulator_url).bundles()
        files = {file.name: file.read_text() for file in made.iterdir()}
        # What everything follows from is kept before anyone is given what follows. Of two that begin at
        # the same time the second is refused here, and is tried again.
        if kept is None:
            cluster.create_secret(MADE, files)
        elif kept != files:
            cluster.apply_secret(MADE, files)
        for name, bundle in bundles.items():
            cluster.apply_secret(name, bundle)
        clock = Path(folder, deployment.CLOCK.name)
        Legal(clock).ensure(parse_instant(legal_start))
        cluster.ensure_config(LEGAL_CLOCK, {clock.name: clock.read_text()})


def make_queues(folder: Path) -> None:
    """Queues and policies on a broker; ``folder`` has its administrator's ``username`` and ``password``.

    Raises:
        FailedPart: it does not answer, or refuses.
    """
    user = f"{(folder / 'username').read_text()}:{(folder / 'password').read_text()}"
    broker = Addresses(
        postgres="",
        amqp=f"amqp://{user}@{deployment.RABBITMQ}/%2F",
        management=f"http://{user}@{deployment.MANAGEMENT}",
        objects="",
        objects_access_key="",
        objects_secret_key="",
    )
    Belongings({}, lambda: broker, Secrets(folder), folder).make_queues()


def add_kubernetes(actions: Any) -> None:
    """Add the commands to a parser's."""
    secrets = actions.add_parser(
        "kubernetes", help="secrets and legal time as objects of the pod's namespace"
    )
    secrets.set_defaults(run=_publish)
    queues = actions.add_parser("queues", help="queues and policies alone, on a broker of someone else's")
    queues.add_argument("--folder", type=Path, default=deployment.SECRETS, help="username and password")
    queues.set_defaults(run=_make_queues)


def _publish(_options: argparse.Namespace) -> int:
    publish(
        Cluster.of_this_pod(),
        public_url=os.environ["ESPACE_PUBLIC_URL"],
        simulator_url=os.environ["ESPACE_SIMULATOR_URL"],
        legal_start=os.environ.get("ESPACE_LEGAL_START") or START.isoformat(),
    )
    print("every program and server has its secrets")
    return 0


def _make_queues(options: argparse.Namespace) -> int:
    make_queues(options.folder)
    print("queues and policies are ready")
    return 0


_MANAGED: Final = {"fieldManager": MANAGER}


def _object(kind: str, name: str, data: Mapping[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "data": dict(data)}


def _encoded(files: Mapping[str, str]) -> dict[str, str]:
    return {file: base64.b64encode(content.encode()).decode() for file, content in files.items()}


def _checked(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        # Its longer words may quote what was sent.
        asked = f"{answer.request.method} {answer.request.url.path}"
        raise FailedPart("kubernetes", f"{asked}: {answer.status_code} {answer.reason_phrase}")
    return answer
