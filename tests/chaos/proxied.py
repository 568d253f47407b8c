"""A stack in which each part reaches every other through a proxy of ours."""

import re
from pathlib import Path
from typing import Final

from espace_stack.servers import Addresses
from espace_stack.stack import Report, Stack
from tests.chaos.proxy import Proxies

IN_FRONT_OF: Final = {
    "postgres": "postgres",
    "rabbitmq": "amqp",
    "objects": "objects",
    "smtp": "smtp",
    "identity-api": "identity-api",
    "profile-api": "profile-api",
    "dossier-api": "dossier-api",
    "documents-api": "documents-api",
    "notifier-api": "notifier-api",
    "web": "web",
}
"""The proxy's name → the name of the port it stands in front of."""
PEOPLE: Final = 3000
"""How many candidates without a story there are to file claims."""
_LOOPBACK = re.compile(r"(?<=127\.0\.0\.1:)\d+")


class ProxiedStack(Stack):
    """The addresses that its parts are given are those of proxies."""

    def __init__(self, folder: Path, proxies: Proxies, report: Report = lambda _: None) -> None:
        super().__init__(folder, private=True, report=report)
        self._proxies = proxies
        self.settings.extra["simulator"] = {"SIMULATOR_PLAIN_CITIZENS": str(PEOPLE)}
        for name, port in IN_FRONT_OF.items():
            proxies.add(name, lambda port=port: self.ports[port])  # type: ignore[misc]

    @property
    def addresses(self) -> Addresses:
        """The servers as programs see them."""
        at = super().addresses
        return Addresses(
            postgres=self._through("postgres", at.postgres),
            amqp=self._through("rabbitmq", at.amqp),
            management=at.management,
            objects=self._through("objects", at.objects),
            objects_access_key=at.objects_access_key,
            objects_secret_key=at.objects_secret_key,
        )

    def url(self, name: str) -> str:
        """A part as other parts see it; the gateway's as citizens do."""
        return self._through(name, super().url(name)) if name in self._proxies else super().url(name)

    def _smtp(self) -> tuple[str, int]:
        return "127.0.0.1", self._proxies["smtp"].port

    def _through(self, name: str, address: str) -> str:
        return _LOOPBACK.sub(str(self._proxies[name].port), address)
