"""Blueprints that say who may call them."""

from typing import Any

from flask_smorest import Blueprint as SmorestBlueprint

from espace.http.access import Auth
from espace.http.schema import Parser


class Blueprint(SmorestBlueprint):  # type: ignore[misc]
    """A group of routes with one kind of authentication.

    Args:
        service: short name of the service, e.g. ``dossier``.
        auth: ``citizen`` or ``service`` (an access token of that kind), or ``public``.
        documented: whether it is in the OpenAPI document; by default all but ``service`` routes are.
    """

    ARGUMENTS_PARSER = Parser()

    def __init__(
        self,
        name: str,
        import_name: str,
        *,
        service: str,
        auth: Auth,
        documented: bool | None = None,
        **options: Any,
    ) -> None:
        self.service, self.auth = service, auth
        self.documented = auth != "service" if documented is None else documented
        super().__init__(name, import_name, **options)
